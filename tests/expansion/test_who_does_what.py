"""Which steps need an agent, and of which crew: without crews, with crews, in held items and in others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import InputError
from planner.expansion import TaskGraph, crew_sizes, expand
from planner.planning import compare, forecast
from planner.workflow import Workflow, read_workflow
from tests.conftest import PLAIN

Declare = Callable[..., Workflow]

CASES = Path(__file__).resolve().parents[1] / "cases"
CREWS = PLAIN + "crews: {team: {agents: 3}, other: {agents: 2}}"


def pools(graph: TaskGraph, step: str) -> list[str]:
    """Name of the pool from which each task of a step seizes an agent, or ``""``."""
    (tasks,) = [mark.tasks for mark in graph.works if mark.subject.step == step]
    seized = [int(graph.graph.acquire[task]) for task in tasks.ravel()]
    return [graph.pools[pool] if pool >= 0 else "" for pool in seized]


def edges(graph: TaskGraph) -> tuple[list[int], list[int]]:
    return graph.graph.successor_start.tolist(), graph.graph.successors.tolist()


@pytest.mark.parametrize("path", [path for path in CASES.glob("*.yaml") if "crews:" not in path.read_text()], ids=str)
def test_a_limit_on_agents_changes_no_order_of_a_workflow_without_crews(path: Path) -> None:
    """What runs side by side follows from the file alone: the same tasks and edges with any number of agents."""
    workflow = read_workflow(path)
    if workflow.crews:  # of a used file
        return
    free, one, four = expand(workflow, {}), expand(workflow, {"agents": 1}), expand(workflow, {"agents": 4})
    assert edges(one) == edges(four)
    assert {mark.subject.step: mark.tasks.shape for mark in free.works} == {
        mark.subject.step: mark.tasks.shape for mark in one.works
    }
    assert "agents" not in free.pools


def test_steps_of_crews_the_lead_and_nobody(declare: Declare) -> None:
    steps = """  free: {llm: {output: 1}}
  own: {crew: team, llm: {output: 1}}
  led: {crew: lead, llm: {output: 1}}
  run: {tool: 1s}
  ask: {crew: other, human: 1s}
  group:
    crew: team
    steps:
      write: {llm: {output: 1}}
      run: {tool: 1s}
      ask: {human: 1s}
      led: {crew: lead, agent: {turns: 1, output: 1}}"""
    workflow = declare(steps, CREWS)
    graph = expand(workflow, crew_sizes(workflow))
    expected = {
        "free": "", "own": "team", "led": "lead", "run": "", "ask": "other",
        "group.write": "team", "group.run": "", "group.ask": "", "group.led": "lead",
    }  # fmt: skip
    assert {step: pools(graph, step) for step in expected} == {step: [pool] for step, pool in expected.items()}


@pytest.mark.parametrize(
    ("crew", "write", "run", "review"), [("", "", "", "other"), ("crew: team, ", "team", "team", "other")]
)
def test_an_item_of_a_crew_is_held_and_any_other_is_not(
    declare: Declare, crew: str, write: str, run: str, review: str
) -> None:
    steps = f"  work: {{for_each: 2, {crew}steps: {{run: {{tool: 1s}}, write: {{llm: {{output: 1}}}}, review: {{needs: [run, write], crew: other, llm: {{output: 1}}}}}}}}"
    workflow = declare(steps, CREWS)
    graph = expand(workflow, crew_sizes(workflow))
    assert [pools(graph, f"work.{name}") for name in ("write", "run", "review")] == [
        [write] * 2,
        [run] * 2,
        [review] * 2,
    ]


USES = {
    "llm": "llm: {output: = 900 / agents}",
    "range": "llm: {output: = 900 / agents to 9000 / agents}",
    "tool": "tool: = 9s / agents",
    "human": "human: {time: = 9s / agents}",
    "loop": "agent: {turns: 2, output: 5, tool: {time: = 9s / agents}}",
    "by model": "llm: {output: {by_model: {plain: = 900 / agents, other: 5}}}",
    "items": "for_each: = 2 * agents, tool: 1s",
    "estimated items": "for_each: {count: = 2 * agents to 9 * agents}, tool: 1s",
    "size": "for_each: {count: 2, size: = 1 / agents to 2 / agents}, tool: 1s",
    "copies": "best_of: = 2 * agents, tool: 1s",
    "rounds": "repeat: {times: = 2 * agents}, tool: 1s",
    "attempts": "retry: {chance: 1%, at_most: = 2 * agents}, tool: 1s",
    "waits": "retry: {chance: 1%, at_most: 2, wait: = 2s * agents}, tool: 1s",
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("within", ["  a: {%s}", "  g: {steps: {a: {%s}}}", "  g: {choose: {a: {chance: 100%%, %s}}}",
                                    "  g: {for_each: 2, steps: {a: {%s}}}"], ids=["alone", "group", "choice", "item"])  # fmt: skip
def test_arithmetic_with_agents_of_a_step_that_no_crew_does_is_refused_at_its_place(
    declare: Declare, use: str, within: str
) -> None:
    """`--agents` is such a number in a workflow without crews; in one with crews only a crew of the step is."""
    steps = within % USES[use]
    for header in (PLAIN, CREWS):
        workflow = declare(steps, header)
        with pytest.raises(InputError) as error:
            expand(workflow, crew_sizes(workflow))
        (problem,) = error.value.problems
        assert problem.code == "unbound-agents"
        assert problem.position is not None
        line = f"workflow: test\n{header}\nsteps:\n{steps}\n".split("\n")[problem.position.line - 1]
        assert line[problem.position.column - 1 :].startswith("= ")
        with pytest.raises(InputError):
            forecast(workflow, samples=1)
    expand(declare(steps), {"agents": 2})
    for crew in ("team", "lead"):
        inside = steps.replace("a: {", f"a: {{crew: {crew}, ")
        workflow = declare(inside, CREWS)
        expand(workflow, crew_sizes(workflow))


def test_agents_of_a_limit_are_the_agents_of_arithmetic(declare: Declare) -> None:
    """1 + 300/50 s for one, 1 + 100/50 s for three; the lead is one in both."""
    workflow = declare("  a: {llm: {output: = 300 / agents}}\n  b: {crew: lead, llm: {output: = 450 / agents}}")
    assert forecast(workflow, agents=1, samples=1).result.seconds.p50 == pytest.approx(10)
    assert [step.tokens.output for step in forecast(workflow, agents=3, samples=1).steps] == [100, 450]


def test_arithmetic_with_agents_of_a_used_file_is_refused_there(tmp_path: Path) -> None:
    (tmp_path / "used.yaml").write_text("workflow: used\nsteps:\n  b: {human: = 9s / agents}\n", encoding="utf-8")
    path = tmp_path / "outer.yaml"
    path.write_text("workflow: outer\nsteps:\n  a: {use: used.yaml}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        forecast(read_workflow(path), samples=1)
    (problem,) = error.value.problems
    assert problem.position is not None
    assert (Path(problem.position.file).name, problem.position.line, problem.position.column) == ("used.yaml", 3, 14)


@pytest.mark.parametrize(
    ("steps", "agents"),
    [
        ("  a: {llm: {output: 5}}\n  b: {llm: {output: 5}}\n  c: {needs: [a, b], llm: {output: 5}}", 2),
        ("  a: {for_each: 30, llm: {output: 5}}", 30),
        ("  a: {for_each: 30, best_of: 2, llm: {output: 5}}", 30),
        ("  a: {for_each: 30, best_of: 2, agent: {turns: 1, output: 5}}", 60),
        ("  a: {for_each: 3, steps: {b: {llm: {output: 5}}, c: {llm: {output: 5}}, d: {needs: [b, c], tool: 5s}}}", 6),
        ("  a: {for_each: 30, human: 5s}", 1),
    ],
    ids=["steps", "items", "copies of a request", "copies of a loop", "steps of items", "people"],
)  # fmt: skip
def test_a_forecast_without_crews_says_how_many_agents_it_takes(declare: Declare, steps: str, agents: int) -> None:
    """That many do not limit it: the completion time is the same, and longer with one less."""
    found = forecast(declare(steps), samples=1).result
    assert found.scenario.agents == agents
    assert forecast(declare(steps), agents=agents, samples=1).result.seconds.p50 == found.seconds.p50
    if agents > 1:
        assert forecast(declare(steps), agents=agents - 1, samples=1).result.seconds.p50 > found.seconds.p50


def test_a_second_reviewer_saves_nothing_behind_one_runner() -> None:
    """The case has the arithmetic; a comparison says so."""
    found = compare(read_workflow(CASES / "runner_and_reviewer_are_a_pipeline.yaml"), [1.0], [1, 2, 3], crew="reviewer", samples=2)  # fmt: skip
    assert [result.seconds.p50 for result in found.results] == pytest.approx([6611] * 3, abs=1e-4)
    assert (found.advice.verdict, found.advice.enough) == ("keep", 1)


COUNTED = "  f: {for_each: = 2 * agents, llm: {output: 100}}"


def test_a_count_may_depend_on_the_agents_of_the_command(declare: Declare) -> None:
    alone = forecast(declare("  f: {llm: {output: 100}}"), samples=1).result.seconds.p50
    workflow = declare(COUNTED)
    assert forecast(workflow, agents=2, samples=1).result.seconds.p50 == 2 * alone
    assert [result.seconds.p50 for result in compare(workflow, [1.0], [1, 2], samples=1).results] == [2 * alone] * 2


def test_the_limit_of_langgraph_bounds_agents_and_open_requests(declare: Declare) -> None:
    """Speeds by concurrency are read at one request, because no second request is ever open."""
    curve = "models: {curve: {ttft: 0s, output_speed: {1: 10, 4: 5}, jitter: 0}}\nmodel: curve\n"
    graph = "runtime: langgraph\nmax_concurrency: 1\n"
    found = forecast(declare("  x: {for_each: 4, llm: {output: 100}}", curve + graph), samples=1)
    assert found.result.seconds.p50 == 40.0
    assert found.result.scenario.agents == 1
    three = forecast(declare("  x: {for_each: 30, human: 10s}", PLAIN + graph.replace("1", "3")), samples=1)
    assert three.result.seconds.p50 == 100.0
    (people,) = (note for note in three.notes if note.code == "many-people")
    assert people.values["places"][0]["count"] == 3


def test_branches_within_a_limit_of_langgraph(declare: Declare) -> None:
    curve = "models: {curve: {ttft: 0s, output_speed: {1: 10, 2: 5, 4: 1}, jitter: 0}}\nmodel: curve\n"
    graph = "runtime: langgraph\nmax_concurrency: 2\n"
    steps = "\n".join(f"  {name}: {{llm: {{output: 100}}}}" for name in "abcd")
    found = forecast(declare(steps, curve + graph), samples=1)
    assert (found.result.seconds.p50, found.result.scenario.agents) == (40.0, 2)


def test_what_is_easily_missed_is_noted_with_the_agents_of_the_command(declare: Declare) -> None:
    copies = declare("  a: {best_of: 3, agent: {turns: 2, output: 10, tool: 1s}}")
    in_turn = [note.code for note in forecast(copies, agents=1, samples=1).notes]
    assert "copies-in-turn" in in_turn
    assert "copies-in-turn" not in [note.code for note in forecast(copies, samples=1).notes]
    led = declare("  f: {for_each: 3, steps: {a: {crew: lead, llm: {output: 10}}}}")
    assert "items-in-turn" in [note.code for note in forecast(led, samples=1).notes]
    equal = declare("  f: {for_each: {count: 3, size: 3x}, agent: {turns: 4, output: 10, tool: 5s}}")
    assert [note.code for note in forecast(equal, samples=1).notes if "size" in note.code] == ["size-without-effect"]


@pytest.mark.parametrize(("crew", "seconds"), [("", 70.003), ("crew: team", 140.004)])
def test_a_cache_outlives_steps_side_by_side_as_long_as_the_longest_of_them(
    declare: Declare, crew: str, seconds: float
) -> None:
    """Two tools of 60 s with a cache of 90 s: side by side the context stays cached, in turn it is read again."""
    profile = "models: {m: {ttft: 0s, prefill_speed: 1000, output_speed: 1000, jitter: 0, cache_ttl: 90s}}\nmodel: m\n"
    header = profile + ("crews: {team: {agents: 2}}\n" if crew else "")
    item = declare(
        f"""
  item:
    for_each: 2
    {crew}
    steps:
      first: {{llm: {{input: 10k, output: 1}}}}
      a: {{tool: 1min, needs: first}}
      b: {{tool: 1min, needs: first}}
      last: {{llm: {{continues: first, input: 1, output: 1}}, needs: [a, b]}}
""",
        header,
    )
    assert forecast(item, samples=1).result.seconds.p50 == pytest.approx(seconds, abs=1e-5)
