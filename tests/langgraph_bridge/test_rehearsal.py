"""Workflows on the real LangGraph take exactly as long as predicted, and what differs is seen."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from random import Random

import pytest
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from typer.testing import CliRunner

from planner.cli.app import app
from planner.expansion import crew_sizes, on_runtime
from planner.langgraph_bridge import rehearse, run_virtually, virtual_clock
from planner.langgraph_bridge.rehearse import rehearsal, works
from planner.langgraph_bridge.rehearse.graphs import WorkflowGraphs
from planner.langgraph_bridge.rehearse.rehearsal import first_difference, workflow_graphs
from planner.langgraph_bridge.rehearse.sample_run import Pools
from planner.loading import load
from planner.measures import Rehearsal, playbacks
from planner.planning import barriers, forecast
from planner.report import ahead_text
from planner.workflow import RUNTIMES, Workflow, read_workflow
from tests.conftest import ROOT, Golden, amounts
from tests.theory.test_language import written

EXAMPLES = sorted((ROOT / "workflows").glob("*.yaml"))
FEWER: Mapping[str, Mapping[str, float]] = {
    "eval_500": {"cases": 6}, "port_codebase": {"modules": 3}, "overnight_migration": {"files": 4},
    "support_triage": {"tickets": 12}, "interactive_chain": {"rounds": 3},
}  # fmt: skip
"""Of the large examples a part is performed here; all of them are before a release (CONTRIBUTING.md)."""

BARRIER = ROOT / "tests" / "cases" / "barrier_between_supersteps.yaml"


def on(workflow: Workflow, runtime: str, limit: int | None = None) -> Workflow:
    return on_runtime(workflow, runtime).model_copy(update={"max_concurrency": limit})


def rehearsed(workflow: Workflow, samples: int = 2) -> Rehearsal:
    return rehearse(workflow, crew_sizes(workflow), samples=samples, speed=1.5)


# Predictions hold


@pytest.mark.slow
@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_takes_as_long_as_predicted(path: Path, runtime: str, tmp_path: Path) -> None:
    fewer = tmp_path / path.name
    fewer.write_text(path.read_text(encoding="utf-8").replace("for_each: 40", "for_each: 6"), encoding="utf-8")
    workflow, _ = load(fewer, FEWER.get(path.stem)).serving()
    found = rehearsed(on(workflow, runtime))
    assert found.difference is None
    assert found.compared >= found.samples == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_random_workflows_of_the_whole_language_take_as_long_as_predicted(seed: int, tmp_path: Path) -> None:
    workflow, _ = written(Random(seed), tmp_path)
    assert rehearsed(on(workflow, "dataflow")).difference is None
    assert rehearsed(on(workflow, "langgraph", Random(seed).choice([None, 1, 2, 3]))).difference is None


@pytest.mark.slow
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_exact_case_takes_as_long_as_worked_out_by_hand(runtime: str) -> None:
    """Races, people who leave, backlogs, lockstep, conflicts: one sample of each of the cases by hand."""
    for path in sorted((ROOT / "tests" / "cases").glob("*.yaml")):
        workflow = read_workflow(path)
        own = workflow if workflow.runtime == runtime else on(workflow, runtime)
        assert rehearsed(own, samples=1).difference is None, path.stem


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("body", ["tool: 0s", "human: 0s", "tool: 1s"])
def test_an_item_without_duration_waits_for_an_agent_as_predicted(
    declare: Callable[..., Workflow], body: str, runtime: str
) -> None:
    """The agent is busy for 1 + 1216 / 64 = 20 s. The item waits for it, and the person follows: 24 s, or 25."""
    header = "model: m\nmodels: {m: {ttft: 1s, output_speed: 64, jitter: 0}}\ncrews: {c: {agents: 1}}\n"
    steps = f"  b: {{crew: c, llm: {{output: 1216}}}}\n  d: {{steps: {{a: {{{body}, for_each: 1, crew: c}}, z: {{needs: a, human: 4s}}}}}}"
    workflow = on(declare(steps, header), runtime)
    result = rehearse(workflow, crew_sizes(workflow), samples=1, speed=1.0)
    assert result.difference is None
    assert forecast(workflow, samples=1).result.seconds.p50 == (25 if body == "tool: 1s" else 24)


def test_the_barrier_costs_two_of_eight_seconds_and_a_subgraph_wins_them_back(declare: Callable[..., Workflow]) -> None:
    workflow = read_workflow(BARRIER)
    found = barriers(workflow, crew_sizes(workflow), 1.0, seed=1, samples=4)
    assert found is not None
    assert (found.seconds, found.without, found.cost) == (8, 6, 2)
    assert [(one.group, one.steps, one.seconds) for one in found.wrappings] == [("", (("a", "b", "c"),), 6)]
    assert [ends(on(read_workflow(BARRIER), runtime)) for runtime in ("langgraph", "dataflow")] == [8, 6]
    assert ends(read_workflow(BARRIER.with_name("barrier_won_back_by_a_subgraph.yaml"))) == 6


def ends(workflow: Workflow) -> float:
    """When a workflow ends on LangGraph's virtual clock."""
    part = next(playbacks(workflow, crew_sizes(workflow), 1.0, 1, 1, 1))
    return run_virtually(workflow_graphs(workflow, part.graph), part, 0)[1]


def test_a_subgraph_may_win_more_than_barriers_cost_as_it_has_slots_of_its_own(
    declare: Callable[..., Workflow],
) -> None:
    """Two slots. {a, b, x}, {c}, {j}: 2 + 6 + 2 + 1; without barriers 2 + 6 + 1; three at a time: max(2 + 2, 6) + 1."""
    branch = "a: {tool: 2s}, b: {tool: 2s}, c: {needs: [a, b], tool: 2s}"
    steps = "  a: {tool: 2s}\n  b: {tool: 2s}\n  c: {needs: [a, b], tool: 2s}\n"
    beside = "  x: {tool: 6s}\n  j: {needs: [%s, x], tool: 1s}\n"
    workflow = on(declare(steps + beside % "c"), "langgraph", 2)
    found = barriers(workflow, crew_sizes(workflow), 1.0, seed=1, samples=4)
    assert found is not None
    assert (found.seconds, found.without, found.wrappings[-1].seconds) == (11, 9, 7)
    written_so = on(declare(f"  g: {{steps: {{{branch}}}}}\n" + beside % "g"), "langgraph", 2)
    assert [ends(workflow), ends(written_so)] == [11, 7]


def test_two_branches_are_wrapped_together_where_one_alone_gains_nothing(declare: Callable[..., Workflow]) -> None:
    """{a, x}, {b, y}, j: max(1, 4) + max(4, 1) + 1 = 9; max(5, 5) + 1 = 6 with each branch in a subgraph."""
    steps = """
      a: {tool: 1s}
      b: {needs: a, tool: 4s}
      x: {tool: 4s}
      y: {needs: x, tool: 1s}
      j: {needs: [b, y], tool: 1s}
    """
    workflow = on(declare(steps), "langgraph")
    found = barriers(workflow, crew_sizes(workflow), 1.0, seed=1, samples=4)
    assert found is not None
    assert (found.seconds, found.without) == (9, 6)
    assert found.wrappings[-1].seconds == 6
    assert {frozenset(steps) for one in found.wrappings for steps in one.steps} == {frozenset("ab"), frozenset("xy")}


@pytest.mark.parametrize("seed", range(20))
def test_what_is_recommended_takes_so_long_when_it_is_written(seed: int, declare: Callable[..., Workflow]) -> None:
    """The groups of the recommendation in the file, on LangGraph: as long as was said, and less than before."""
    random = Random(seed)
    names = "abcdefgh"
    needs = {
        name: tuple(random.sample(names[:at], min(at, random.choice([0, 1, 1, 2])))) for at, name in enumerate(names)
    }
    each = {name: random.choice([1, 2, 5]) for name in names}

    def written_with(groups: dict[str, tuple[str, ...]]) -> Workflow:
        inside = {name: group for group, steps in groups.items() for name in steps}

        def line(name: str, wanted: Iterable[str]) -> str:
            return f"{name}: {{needs: [{', '.join(dict.fromkeys(wanted))}], tool: {each[name]}s}}"

        lines = [line(name, (inside.get(need, need) for need in needs[name])) for name in names if name not in inside]
        for group, steps in groups.items():
            within = ", ".join(line(name, (need for need in needs[name] if need in steps)) for name in steps)
            outside = {inside.get(need, need): None for name in steps for need in needs[name] if need not in steps}
            lines.append(f"{group}: {{needs: [{', '.join(outside)}], steps: {{{within}}}}}")
        return on(declare("\n".join(f"  {line}" for line in lines)), "langgraph")

    plain = written_with({})
    found = barriers(plain, crew_sizes(plain), 1.0, seed=1, samples=2)
    assert found is not None
    assert ends(plain) == found.seconds
    now, groups = found.seconds, dict[str, tuple[str, ...]]()
    for wrapping in found.wrappings:
        groups |= {f"group_{'_'.join(steps)}": steps for steps in wrapping.steps}
        assert ends(written_with(groups)) == wrapping.seconds < now
        now = wrapping.seconds


def test_what_is_performed_are_graphs_and_entrypoints_of_langgraph() -> None:
    workflow = read_workflow(BARRIER)
    part = next(playbacks(workflow, crew_sizes(workflow), 1.0, 1, 1, 1))
    graphs = dict(workflow_graphs(workflow, part.graph).context.compiled)
    assert isinstance(graphs[""], CompiledStateGraph)
    builder = graphs[""].builder
    assert builder.edges == {("__start__", "a"), ("__start__", "x"), ("a", "b"), ("b", "c")}
    assert builder.waiting_edges == {(("c", "x"), "j")}
    functional = dict(workflow_graphs(on(workflow, "dataflow"), part.graph).context.compiled)[""]
    assert isinstance(functional, Pregel)
    assert not isinstance(functional, CompiledStateGraph)


# What does not hold is seen


def test_a_difference_is_told_with_its_first_step() -> None:
    """Supersteps predicted, and performed without: 'b' comes at 1 s instead of 5 s."""
    workflow = read_workflow(BARRIER)
    part = next(playbacks(workflow, crew_sizes(workflow), 1.0, 1, 1, 1))
    spans, seconds = run_virtually(WorkflowGraphs(part.graph.outline, dataflow=True, limit=None), part, 0)
    found = first_difference(3, part.predicted(0), spans, 8.0, seconds)
    assert found is not None
    assert (found.sample, found.what) == (3, ("b", "tool", ()))
    assert (found.predicted, found.rehearsed) == ((5, 6), (1, 2))
    late = first_difference(0, spans, spans, 8.0, seconds)
    assert late is not None
    assert (late.what, late.rehearsed) == (None, (0.0, 6.0))
    missing = first_difference(0, spans, {**spans, ("z", "tool", ()): (0.0, 1.0)}, seconds, seconds)
    assert missing is not None
    assert (missing.what, missing.predicted) == (("z", "tool", ()), None)


def test_a_limit_that_was_not_predicted_is_seen(declare: Callable[..., Workflow]) -> None:
    workflow = declare("  item: {for_each: 4, tool: 1s to 3s}")
    part = next(playbacks(workflow, crew_sizes(workflow), 1.0, 1, 1, 1))
    spans, _ = run_virtually(WorkflowGraphs(part.graph.outline, dataflow=False, limit=2), part, 0)
    assert first_difference(0, part.predicted(0), spans, 0.0, 0.0) is not None


# Pools and clock


def test_pools_give_slots_by_ready_time_then_by_task() -> None:
    """Asked for at 0 by 5, 3 and 4 in this order, and at 1 by 1: 3 first, then 4, 5, 1."""
    order: list[int] = []

    async def main(_: virtual_clock.VirtualLoop) -> None:
        pools = Pools([1])

        async def work(task: int, ready: float) -> None:
            await asyncio.sleep(ready)
            await pools.seize(0, task)
            order.append(task)
            await asyncio.sleep(2)
            pools.release(0)

        await asyncio.gather(work(5, 0), work(3, 0), work(4, 0), work(1, 1))

    assert virtual_clock.run(main)[1] == 8
    assert order == [3, 4, 5, 1]


def test_who_is_cancelled_leaves_the_queue_and_gives_back_what_was_granted() -> None:
    async def main(_: virtual_clock.VirtualLoop) -> list[int]:
        pools = Pools([1])
        await pools.seize(0, 0)
        waiting = [asyncio.ensure_future(pools.seize(0, task)) for task in (1, 2)]
        await asyncio.sleep(1)
        waiting[0].cancel()
        pools.release(0)
        await asyncio.sleep(1)
        assert waiting[1].done()
        return pools.free

    assert virtual_clock.run(main)[0] == [0]


def test_the_clock_jumps_waits_for_threads_and_tells_of_deadlocks() -> None:
    async def main(loop: virtual_clock.VirtualLoop) -> tuple[float, float, str]:
        await asyncio.sleep(1e6)
        late = loop.time()
        found = await loop.run_in_executor(None, lambda: "done")
        return late, loop.time(), found

    assert virtual_clock.run(main)[0] == (1e6, 1e6, "done")

    async def stuck(loop: virtual_clock.VirtualLoop) -> None:
        await loop.create_future()

    with pytest.raises(virtual_clock.DeadlockError, match=r"at 0\.000000 s something waits"):
        virtual_clock.run(stuck)


def test_what_is_left_when_a_run_is_interrupted_is_cancelled() -> None:
    ended: list[str] = []

    async def waiting() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            ended.append("cancelled")

    async def main(_: virtual_clock.VirtualLoop) -> None:
        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(1)
        assert not task.done()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        virtual_clock.run(main)
    assert ended == ["cancelled"]


def test_an_interrupted_rehearsal_says_nothing_of_what_waited_for_a_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while `a` has the only slot of LangGraph's."""

    async def interrupted(_: float) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(1)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run that was started with & ignores it
    monkeypatch.setattr(works, "call_tool", interrupted)
    path = tmp_path / "limited.yaml"
    steps = "steps: {a: {tool: 1s}, b: {tool: 1s}, c: {tool: 1s}}"
    path.write_text(f"workflow: limited\nruntime: langgraph\nmax_concurrency: 1\n{steps}\n", encoding="utf-8")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        code, said = told(path)
        gc.collect()
    assert (code, said) == (130, "interrupted; nothing was written")
    assert [str(one.message) for one in found] == []


# The command


def told(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rehearse", *map(str, arguments)])
    return result.exit_code, " ".join((result.stdout + result.stderr).split())


def test_the_command_says_on_how_many_samples_all_is_equal(golden: Golden) -> None:
    code, said = told(BARRIER, "--samples", 3)
    assert code == 0
    golden(said)
    assert f"on LangGraph {version('langgraph')} and" in said
    assert "runtime langgraph" in said
    assert "runtime dataflow" in told(BARRIER, "--samples", 1, "--runtime", "dataflow")[1]


def test_the_command_shows_the_first_difference_and_fails(monkeypatch: pytest.MonkeyPatch, golden: Golden) -> None:
    monkeypatch.setattr(rehearsal, "workflow_graphs", lambda workflow, graph: WorkflowGraphs(graph.outline, True, None))
    code, said = told(BARRIER)
    assert code == 1
    golden(said)
    assert amounts(said) >= {"1.000000", "2.000000", "5.000000", "6.000000"}


def test_what_langgraph_has_no_means_for_is_said(tmp_path: Path, golden: Golden) -> None:
    """Agents of crews and the lead; without crews only agents that were asked for."""
    path = tmp_path / "race.yaml"
    path.write_text("workflow: race\nsteps:\n  a: {first_of: 2, tool: 1s to 9s}\n", encoding="utf-8")
    golden(told(path, "--samples", 2)[1])
    models = "models: {m: {ttft: 1s, output_speed: 100}}\nmodel: m\n"
    steps = "steps:\n  a: {for_each: 2, llm: {output: 100}}\n"
    path.write_text(f"workflow: items\n{models}{steps}", encoding="utf-8")
    assert "asyncio" not in golden(told(path, "--samples", 2)[1])
    golden(told(path, "--samples", 2, "--agents", 1)[1])
    crew = "crews: {team: {agents: 2}}\nsteps:\n  a: {for_each: 3, crew: team, llm: {output: 100}}\n"
    path.write_text(f"workflow: items\n{models}{crew}  b: {{crew: lead, llm: {{output: 100}}}}\n", encoding="utf-8")
    golden(told(path, "--samples", 2)[1])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_file_without_crews_has_no_bound_but_agents(declare: Callable[..., Workflow], runtime: str) -> None:
    """Three items of two requests side by side, 2 s each: all at once, or in three turns of two agents."""
    items = "  item: {for_each: 3, steps: {a: {llm: {output: 50}}, b: {llm: {output: 50}}, t: {tool: 1s}}}"
    workflow = on(declare(items), runtime)
    for sizes, seconds in (({}, 2), ({"agents": 2}, 6)):
        part = next(playbacks(workflow, sizes, 1.0, 1, 1, 1))
        assert (part.graph.graph.acquire >= 0).any() == bool(sizes)
        spans, ended = run_virtually(workflow_graphs(workflow, part.graph), part, 0)
        assert ended == seconds
        assert {span for (step, _, _), span in spans.items() if step == "item.t"} == {(0, 1)}
        assert rehearse(workflow, sizes, samples=1).difference is None


def test_the_real_clock_tells_the_overhead() -> None:
    code, said = told(BARRIER, "--real", "--scale", 100)
    assert code == 0
    assert amounts(said) >= {"80ms", "8.00s", "100"}


def test_a_rehearsal_in_real_time_tells_how_long_it_takes_and_how_far_it_is(golden: Golden) -> None:
    """8 s, 100 times as fast: 0.08 s, said before the first look at how much of it has passed."""
    workflow, said = read_workflow(BARRIER), list[tuple[str, float]]()
    rehearsal.in_real_time(
        workflow, crew_sizes(workflow), scale=100,
        ahead=lambda seconds: said.append(("ahead", seconds)), progress=lambda done: said.append(("done", done)),
    )  # fmt: skip
    assert said[0] == ("ahead", 0.08)
    assert {what for what, _ in said[1:]} == {"done"}
    assert all(0 <= done <= 1 for _, done in said[1:])
    result = CliRunner().invoke(app, ["rehearse", str(BARRIER), "--real", "--scale", "100x"])
    golden(result.stderr)
    assert amounts(result.stderr) >= {"80ms"}


@pytest.mark.parametrize("scale", ["inf", "nan", "0", "-1", "1e9", "fast"])
def test_a_pace_that_is_none_is_refused_with_a_remedy(scale: str, golden: Golden) -> None:
    code, said = told(BARRIER, "--real", "--scale", scale)
    assert code == 2
    golden(said)


def test_the_pace_of_reality_is_no_multiple(golden: Golden) -> None:
    assert amounts(golden(ahead_text(8, 1))) >= {"8.00s"}
    assert amounts(golden(ahead_text(0.4, 20))) >= {"0.40s"}


def test_a_pace_without_a_real_clock_is_refused() -> None:
    assert told(BARRIER, "--scale", 20)[0] == 2


def test_without_langgraph_it_says_so_and_nothing_else_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("planner.langgraph_bridge")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "langgraph"]:
        monkeypatch.setitem(sys.modules, name, None)
    code, said = told(BARRIER)
    assert code == 2
    assert "langgraph" in said
    assert "pip install langgraph" in said
    for command in ("forecast", "compare"):
        assert CliRunner().invoke(app, [command, str(BARRIER), "--samples", "2"]).exit_code == 0


def test_only_rehearsals_import_langgraph() -> None:
    import subprocess

    program = (
        "import sys; from typer.testing import CliRunner; from planner.cli.app import app\n"
        f"CliRunner().invoke(app, ['compare', {str(BARRIER)!r}, '--samples', '2'])\n"
        "assert not any(name.partition('.')[0] in ('langgraph', 'langchain_core') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_what_is_too_large_to_be_performed_is_refused(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("workflow: large\nsteps:\n  a: {for_each: 100001, tool: 1s}\n", encoding="utf-8")
    code, said = told(path)
    assert code == 2
    golden(said)


def test_two_scenarios_at_once_are_refused() -> None:
    assert told(BARRIER, "--speed", "1x,2x")[0] == 2


def test_samples_that_would_not_be_performed_are_refused(tmp_path: Path) -> None:
    code, said = told(BARRIER, "--real", "--samples", "3")
    assert (code, "omit --samples" in said) == (2, True)
    code, said = told(BARRIER, "--export", str(tmp_path / "app.py"), "--samples", "3")
    assert (code, "omit --samples" in said) == (2, True)


def test_a_rehearsal_is_of_the_samples_of_the_forecast(declare: Callable[..., Workflow]) -> None:
    """The sample that is performed is the one that the forecast draws."""
    from planner.planning import forecast

    workflow = declare("  a: {tool: 1s to 9s}\n  b: {needs: a, llm: {output: 10 to 500}}")
    part = next(playbacks(workflow, crew_sizes(workflow), 1.0, 7, 1, 1))
    assert float(part.schedule.makespan[0]) == forecast(workflow, seed=7, samples=1).result.seconds.p50
    assert replace(rehearsed(workflow), compared=0).difference is None
