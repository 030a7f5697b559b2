"""Exported applications: formatted, typed, importable, and they run the graph of the workflow."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.expansion import crew_sizes
from planner.expansion.graph.order import needs
from planner.langgraph_bridge import application_source
from planner.langgraph_bridge.export.source import (
    Names,
    call,
    comment,
    docstring,
)
from planner.workflow import Workflow, read_workflow
from tests.conftest import ROOT, Golden, read_example
from tests.theory.test_language import written

EXAMPLES = sorted((ROOT / "workflows").glob("*.yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The applications of all examples, and of some random workflows."""
    place = tmp_path_factory.mktemp("apps")
    for path in EXAMPLES:
        (place / f"{path.stem}.py").write_text(example(path), encoding="utf-8")
    for seed in range(25):
        workflow, _ = written(Random(seed), place)
        if seed % 2:
            workflow = workflow.model_copy(update={"runtime": "langgraph", "max_concurrency": seed})
        (place / f"random_{seed}.py").write_text(application_source(workflow, crew_sizes(workflow)), encoding="utf-8")
    return place


def example(path: Path) -> str:
    workflow = read_example(path)
    return application_source(workflow, crew_sizes(workflow))


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"exported_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # LangGraph looks up the types of the state there
    spec.loader.exec_module(module)
    return module


def run(module: Any) -> dict[str, list[str]]:
    found = asyncio.run(module.main())
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
def test_applications_are_formatted_and_typed(folder: Path) -> None:
    """As `ruff format`, `ruff check` and `mypy --strict` have it by default."""
    tool = [sys.executable, "-m"]
    for command in (
        ["ruff", "format", "--check", "--isolated"],
        ["ruff", "check", "--isolated", "--select", "E,F,I,UP,B"],
        ["mypy", "--strict", "--config-file=", "--no-error-summary"],
    ):
        done = subprocess.run(
            [*tool, *command, *sorted(folder.glob("*.py"))], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_applications_import_nothing_but_langgraph(folder: Path) -> None:
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        outside = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names)
        assert outside == {"langgraph"}, path.name


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_application_of_every_example_runs(path: Path, folder: Path) -> None:
    """All that the file says is done always is done, a fan-out and a round at least once."""
    done = run(loaded(folder / path.name.replace(".yaml", ".py")))
    for names, step in read_example(path).walk():
        plain = step.llm or step.agent or step.tool or step.human
        if plain is not None and not certain_not(read_example(path), names):
            assert names[-1] in done["log"], names


def certain_not(workflow: Workflow, names: tuple[str, ...]) -> bool:
    """Whether a step may be left out: by chance, in a branch, or because nothing fails."""
    steps = workflow.steps
    for name in names:
        step = steps[name]
        if step.chance is not None or any(other.otherwise == name for other in steps.values()):
            return True
        steps = step.within
    return False


@pytest.mark.parametrize("seed", range(25))
def test_applications_of_random_workflows_run(seed: int, folder: Path) -> None:
    run(loaded(folder / f"random_{seed}.py"))


def named(step: str) -> str:
    """The node of a step: a key of the state can be no node's name."""
    return f"{step}_" if step == "round" else step


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_graph_has_the_edges_and_joins_of_the_needs(path: Path, folder: Path) -> None:
    graph = loaded(folder / path.name.replace(".yaml", ".py")).workflow_graph().builder
    steps = read_example(path).steps
    wanted = {named(name): [named(need) for need in found] for name, found in needs(steps).items()}
    single = {(need[0] if need else "__start__", name) for name, need in wanted.items() if len(need) < 2}
    assert graph.edges == single
    joins = {(frozenset(sources), target) for sources, target in graph.waiting_edges}
    assert joins == {(frozenset(need), name) for name, need in wanted.items() if len(need) > 1}


def test_estimates_stand_beside_their_steps(folder: Path, golden: Golden) -> None:
    source = (folder / "port_codebase.py").read_text(encoding="utf-8")
    plan = source[source.index("async def plan(") :]
    assert plan.split('"""')[1].split("\n\n")[1].split("\n") == [
        "    model: claude-opus-4-8",
        "    input: 30k tokens",
        "    thinking: 0 to 4k tokens",
        "    output: 2k to 6k tokens",
        "    ",
    ]
    golden([line.strip() for line in source.splitlines() if line.strip().startswith(("#", '"""'))])


def test_what_fails_is_dealt_with_where_the_file_says_so(declare: Callable[..., Workflow], tmp_path: Path) -> None:
    """`a` never succeeds: `b` is done instead, and nothing has failed. Of `c` nothing is done instead."""
    steps = """
      a: {tool: 1s, success: 0%, otherwise: b}
      b: {tool: 1s}
      c: {needs: a, steps: {d: {tool: 1s, success: 0%}}}
      e: {needs: c, chance: 0%, tool: 1s}
      f: {needs: c, first_of: 3, tool: 1s}
      g: {needs: c, repeat: {times: 3}, tool: 1s}
      h: {needs: c, for_each: 4, tool: 1s}
    """
    path = tmp_path / "failing.py"
    path.write_text(application_source(declare(steps), {}), encoding="utf-8")
    done = run(loaded(path))
    assert sorted(set(done["log"])) == ["a", "b", "d", "f", "g", "h"]
    assert (done["log"].count("g"), done["log"].count("h"), done["log"].count("f")) == (3, 4, 1)
    assert done["failed"] == ["c"]


def test_names_of_steps_that_python_or_langgraph_keep_for_themselves(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    names = ["class", "log", "state", "__start__", "a-b", "a_b", "print", "Graph"]
    path.write_text("workflow: w\nsteps:\n" + "".join(f"  {name}: {{tool: 1s}}\n" for name in names), encoding="utf-8")
    target = tmp_path / "names.py"
    target.write_text(application_source(read_workflow(path), {}), encoding="utf-8")
    assert sorted(run(loaded(target))["log"]) == sorted(names)


def test_the_command_writes_the_application(tmp_path: Path) -> None:
    target = tmp_path / "app.py"
    path = ROOT / "workflows" / "parallel_qa.yaml"
    result = CliRunner().invoke(app, ["rehearse", str(path), "--export", str(target)])
    assert result.exit_code == 0, result.output
    assert target.read_text(encoding="utf-8") == example(path)
    done = subprocess.run([sys.executable, str(target)], capture_output=True, text=True, check=True)
    assert done.stdout == "done: plan search search search search join\nfailed:\n"
    assert CliRunner().invoke(app, ["rehearse", str(path), "--export", str(tmp_path)]).exit_code == 2


# Source


def test_calls_are_broken_as_formatters_break_them() -> None:
    assert call("f(", ["a", "b"]) == ["f(a, b)"]
    wide = "a" * 50
    assert call("function(", [wide, "b" * 30]) == ["function(", f"    {wide}, {'b' * 30}", ")"]
    assert call("function(", [wide, wide]) == ["function(", f"    {wide},", f"    {wide},", ")"]
    assert call("x = [", [wide, "b" * 31], "]") == ["x = [", f"    {wide},", f"    {'b' * 31},", "]"]


def test_text_of_a_file_cannot_end_a_docstring_or_a_comment() -> None:
    assert ast.literal_eval("\n".join(docstring('say """hi""" \\ "', indent=""))) == "say '''hi''' / '"
    assert all(line.startswith("#") for line in comment("a\nb " * 60))


def test_names_are_given_out_once() -> None:
    names = Names(["taken"])
    assert [names.unique("a", "b"), names.unique("a", "b"), names.unique("a", "b")] == ["b", "a_b", "a_b_2"]
    assert [names.unique("taken"), names.unique("class"), names.unique("1")] == ["taken_2", "class_", "step_1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps",
    [
        "  build: {steps: {a: {tool: 1s}, b: {tool: 1s}}}\n  build_graph: {needs: build, tool: 1s}",
        "  build_graph: {tool: 1s}\n  build: {needs: build_graph, steps: {a: {tool: 1s}, b: {tool: 1s}}}",
        "  g: {steps: {a: {tool: 1s}, graph: {tool: 1s}}}",
        "  page: {for_each: 3, steps: {fetch: {tool: 1s}, graph: {needs: fetch, tool: 1s}}}",
    ],
)
def test_steps_may_be_called_as_graphs_are(steps: str, tmp_path: Path) -> None:
    path, target = tmp_path / "plan.yaml", tmp_path / "app.py"
    path.write_text(f"workflow: plan\nsteps:\n{steps}\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["rehearse", str(path), "--export", str(target)]).exit_code == 0
    found = subprocess.run([sys.executable, str(target)], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("options", [("--speed", "2x"), ("--real",), ("--runtime", "dataflow")])
def test_an_export_refuses_what_it_does_not_take_into_account(options: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("workflow: plan\nsteps: {a: {tool: 1s}}\n", encoding="utf-8")
    target = tmp_path / "app.py"
    result = CliRunner().invoke(app, ["rehearse", str(path), "--export", str(target), *options])
    assert result.exit_code == 2
    assert not target.exists()


def test_an_export_does_not_replace_the_workflow(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("workflow: plan\nsteps: {a: {tool: 1s}}\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["rehearse", str(path), "--export", str(path)]).exit_code == 2
    assert path.read_text(encoding="utf-8").startswith("workflow: plan")


def written_to(tmp_path: Path, text: str, *options: str) -> tuple[int, str, Path]:
    """Exit code and message of an export, and the file that it writes."""
    path, target = tmp_path / "plan.yaml", tmp_path / "app.py"
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["rehearse", str(path), "--export", str(target), *options])
    return result.exit_code, " ".join(result.stderr.split()), target


PLAN = "workflow: plan\nsteps: {a: {tool: 1s}}\n"


def test_an_application_that_was_edited_is_kept_unless_forced(tmp_path: Path, golden: Golden) -> None:
    code, said, target = written_to(tmp_path, PLAN)
    assert (code, said) == (0, f"wrote {target}; run it: python {target}")
    source = target.read_text(encoding="utf-8")
    assert written_to(tmp_path, PLAN)[0] == 0
    target.write_text(source + "# mine\n", encoding="utf-8")
    code, said, _ = written_to(tmp_path, PLAN)
    assert code == 2
    golden(said)
    assert target.read_text(encoding="utf-8") == source + "# mine\n"
    assert written_to(tmp_path, PLAN, "--force")[0] == 0
    assert target.read_text(encoding="utf-8") == source


def test_force_goes_with_an_export(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    assert CliRunner().invoke(app, ["rehearse", str(path), "--force"]).exit_code == 2


def test_an_application_has_supersteps_and_another_runtime_is_refused(tmp_path: Path, golden: Golden) -> None:
    """Where the file says `runtime: dataflow`, as where the option does."""
    code, said, target = written_to(tmp_path, f"{PLAN}runtime: dataflow\n")
    assert code == 2
    golden(said)
    assert not target.exists()
    assert written_to(tmp_path, f"{PLAN}runtime: dataflow\n", "--runtime", "langgraph")[0] == 0


MEASURED = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import app
running = most = 0
async def sleep(seconds, sleep=asyncio.sleep):
    global running, most
    running += 1
    most = max(most, running)
    await sleep(0.01)
    running -= 1
app.asyncio.sleep = sleep
asyncio.run(app.main())
print(most)
"""


def most_at_a_time(tmp_path: Path, text: str, *options: str) -> int:
    """How many steps of an application are done at a time, at most."""
    code, said, _ = written_to(tmp_path, text, *options)
    assert code == 0, said
    command = [sys.executable, "-c", MEASURED, str(tmp_path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


ITEMS = """
workflow: plan
models: {m: {ttft: 1s, output_speed: 100}}
model: m
steps: {item: {for_each: 6, steps: {read: {tool: 1s}, write: {needs: read, llm: {output: 100}}}}}
"""


@pytest.mark.slow
def test_agents_limit_an_application_as_they_limit_the_plan(tmp_path: Path) -> None:
    """Without crews nothing is limited, or requests are by --agents. A crew limits what it does, the lead what it does.

    A fan-out of tools needs no agents. One agent makes all requests of copies.
    """
    assert most_at_a_time(tmp_path, ITEMS) == 6
    assert most_at_a_time(tmp_path, ITEMS, "--force", "--agents", "3") == 6  # tools are no requests
    requests = ITEMS.replace("{tool: 1s}", "{llm: {output: 100}}")
    assert most_at_a_time(tmp_path, requests, "--force", "--agents", "3") == 3
    for crew, agents in (("team", 2), ("one", 1), ("lead", 1)):
        text = ITEMS.replace("{item: {", f"{{item: {{crew: {crew}, ") + "crews: {team: {agents: 2}, one: {agents: 1}}\n"
        assert most_at_a_time(tmp_path, text, "--force") == agents
    unbound = ITEMS + "crews: {team: {agents: 2}}\n"
    assert most_at_a_time(tmp_path, unbound, "--force") == 6
    for body, most in (("llm: {output: 1}", 4), ("agent: {turns: 1, output: 1}", 1)):
        copies = f"{ITEMS.partition('steps:')[0]}steps: {{a: {{best_of: 4, {body}}}}}\n"
        assert most_at_a_time(tmp_path, copies, "--force", "--agents", "1") == most
    assert most_at_a_time(tmp_path, "workflow: plan\nsteps: {a: {for_each: 6, tool: 1s}}\n", "--force") == 6


def test_only_pools_of_the_plan_are_in_an_application(tmp_path: Path) -> None:
    """Two crews of one are two agents, and neither is the lead. Copies of a request share one agent."""
    assert "Semaphore" not in written_to(tmp_path, ITEMS)[2].read_text(encoding="utf-8")
    assert 'AGENTS = {"agents": 3}' in written_to(tmp_path, ITEMS, "--force", "--agents", "3")[2].read_text("utf-8")
    text = """
workflow: plan
models: {m: {ttft: 1s, output_speed: 100}}
model: m
crews: {author: {agents: 1}, critic: {agents: 1}}
steps:
  write: {crew: author, llm: {output: 100}}
  judge: {crew: critic, best_of: 3, llm: {output: 100}}
  plan: {crew: lead, llm: {output: 100}}
  ask: {llm: {output: 100}}
"""
    _, _, target = written_to(tmp_path, text, "--force")
    source = target.read_text(encoding="utf-8")
    assert loaded(target).AGENTS == {"author": 1, "critic": 1, "lead": 1}
    uses = {name: len(re.findall(rf'async with agent\("{name}"\)', source)) for name in ("author", "critic", "lead")}
    assert uses == {"author": 1, "critic": 1, "lead": 1}
    judge = source[source.index("async def judge(") :].split("\n\n\n")[0]
    assert 'async with agent("critic")' in judge
    assert "judge_graph()" in judge


def test_steps_of_an_item_run_in_turn_only_where_an_agent_holds_it(tmp_path: Path) -> None:
    steps = "{for_each: 2, steps: {a: {llm: {output: 1}}, b: {llm: {output: 1}}}}"
    text = f"""
workflow: plan
models: {{m: {{ttft: 1s, output_speed: 100}}}}
model: m
crews: {{team: {{agents: 2}}}}
steps: {{free: {steps}, held: {{crew: team, {steps[1:]}}}
"""
    code, said, target = written_to(tmp_path, text)
    assert code == 0, said
    module = loaded(target)
    assert module.free_item_graph().builder.edges == {("__start__", "a"), ("__start__", "b")}
    assert module.held_item_graph().builder.edges == {("__start__", "a"), ("a", "b")}


def test_an_application_runs_in_one_event_loop_after_the_other(tmp_path: Path) -> None:
    """As in tests: items wait for the only agent in each of them."""
    code, said, target = written_to(tmp_path, ITEMS, "--agents", "1")
    assert code == 0, said
    module = loaded(target)
    assert run(module) == run(module) == {"log": ["read", "write"] * 6, "failed": []}


def test_max_concurrency_limits_each_graph_of_an_application(tmp_path: Path) -> None:
    """Two of the groups at a time, and in each two of its steps."""
    group = "{steps: {a: {tool: 1s}, b: {tool: 1s}, c: {tool: 1s}}}"
    steps = "".join(f"  g{number}: {group}\n" for number in range(3))
    text = f"workflow: plan\nruntime: langgraph\nmax_concurrency: 2\nsteps:\n{steps}"
    assert most_at_a_time(tmp_path, text) == 4


def test_what_an_application_leaves_out_is_said_in_it(tmp_path: Path, golden: Golden) -> None:
    (tmp_path / "rows.csv").write_text("id,needs\na,\nb,a\n", encoding="utf-8")
    coordination = "{stagger: 5s, redundancy: 20%, merge: 10s, conflict: {chance: 1%, rework: 30%}}"
    text = f"""
workflow: plan
models: {{m: {{ttft: 1s, output_speed: 100}}}}
model: m
crews: {{team: {{agents: 2, lockstep: true, coordination: {coordination}}}}}
steps:
  row: {{for_each: {{file: rows.csv, id: id, needs: needs}}, crew: team, tool: 1s}}
  item: {{for_each: 4, crew: team, steps: {{read: {{llm: {{output: 100}}}}, write: {{llm: {{output: 100}}}}}}}}
  free: {{for_each: 4, steps: {{read: {{llm: {{output: 100}}}}, write: {{llm: {{output: 100}}}}}}}}
  poll: {{repeat: {{times: 2}}, retry: {{chance: 10%, at_most: 3}}, tool: 1s}}
"""
    code, said, target = written_to(tmp_path, text)
    assert code == 0, said
    about = " ".join(ast.get_docstring(ast.parse(target.read_text(encoding="utf-8"))).split())  # type: ignore[union-attr]
    golden(about)
    assert written_to(tmp_path, PLAN, "--force")[0] == 0
    assert "Left out" not in target.read_text(encoding="utf-8")
