"""`runtime: langgraph` in forecasts and comparisons: the same workflow, with barriers and limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.engine import Floats, Samples
from planner.expansion import Runtime, crew_sizes, expand, on_runtime
from planner.planning import barriers, forecast
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow
from tests import oracle
from tests.conftest import ROOT, Golden, amounts
from tests.theory.test_language import written

BARRIER = ROOT / "tests" / "cases" / "barrier_between_supersteps.yaml"
NO_BARRIERS = Runtime(graphs=True)


def ended(workflow: Workflow, runtime: Runtime, check: bool = False) -> Floats:
    """(3,) completion times; `check`: each sample is also scheduled by the oracle."""
    graph = expand(workflow, crew_sizes(workflow), runtime)
    pipeline = Pipeline.of(workflow, graph, requests=1)
    run = pipeline.draw(Samples(1, 0, 3), speed=1.5).at(1.5).schedule(recorded=True)
    schedule, times = run.schedule, run.times
    for row in range(len(run.durations) if check else 0):
        sample = oracle.Sample(
            graph.graph, run.durations[row].tolist(), times.patience[row].tolist(), times.away[row].tolist()
        )
        sample.run()
        assert np.array_equal(schedule.starts[row], sample.start, equal_nan=True)
        assert np.array_equal(schedule.ends[row], sample.end, equal_nan=True)
        assert sample.free == graph.graph.capacity.tolist()  # agents and slots are given back, each once
    return schedule.makespan


@pytest.mark.parametrize("seed", range(40))
def test_random_workflows_on_langgraph_are_scheduled_by_the_rule(seed: int, tmp_path: Path) -> None:
    workflow, _ = written(Random(seed), tmp_path)
    for limit in (None, 1, 2):
        ended(workflow, Runtime(True, True, limit), check=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_without_barriers_and_limits_nothing_is_different(seed: int, tmp_path: Path) -> None:
    """What only LangGraph has is all that the runtimes differ in. (Ids differ, and with them who wins a tie.)"""
    workflow, _ = written(Random(seed), tmp_path)
    assert ended(workflow, NO_BARRIERS) == pytest.approx(ended(workflow, Runtime()), abs=1e-9)
    assert np.array_equal(ended(workflow, Runtime(True, False, 10_000)), ended(workflow, NO_BARRIERS))


def test_a_limit_of_one_does_one_thing_after_the_other(declare: Callable[..., Workflow]) -> None:
    """Each graph has a slot of its own; there is one graph: 1 + 2 + 3 + 4."""
    steps = "  a: {tool: 1s}\n  b: {tool: 2s}\n  c: {needs: a, tool: 3s}\n  d: {needs: b, tool: 4s}"
    assert ended(declare(steps), Runtime(True, True, 1)).tolist() == [10] * 3
    assert ended(declare(steps), Runtime(True, True, None)).tolist() == [2 + 4] * 3


def test_wrapping_steps_keeps_their_draws(declare: Callable[..., Workflow]) -> None:
    """A chain draws the same whether it is wrapped or not, and nothing runs beside it."""
    workflow = declare("  a: {tool: 1s to 9s}\n  b: {needs: a, tool: 1s to 9s}\n  c: {needs: b, tool: 1s to 9s}")
    runtime = Runtime(True, True, None, {"": (frozenset("ab"),)})
    assert np.array_equal(ended(workflow, runtime), ended(workflow, Runtime(True, True)))


def test_a_branch_of_a_group_is_named_with_its_group(declare: Callable[..., Workflow]) -> None:
    steps = """
      g:
        best_of: 2
        steps:
          a: {tool: 1s}
          b: {needs: a, tool: 1s}
          x: {tool: 5s}
          j: {needs: [b, x], tool: 1s}
    """
    workflow = on_runtime(declare(steps), "langgraph")
    found = barriers(workflow, crew_sizes(workflow), 1.0, seed=1, samples=4)
    assert found is not None
    assert [(one.group, one.steps, one.seconds) for one in found.wrappings] == [("g", (("a", "b"),), 6)]
    assert (found.seconds, found.cost) == (7, 1)


def test_where_nothing_runs_beside_anything_barriers_cost_nothing(declare: Callable[..., Workflow]) -> None:
    workflow = on_runtime(declare("  a: {for_each: 3, tool: 1s to 9s}\n  b: {needs: a, tool: 1s}"), "langgraph")
    found = barriers(workflow, crew_sizes(workflow), 1.0, seed=1, samples=9)
    assert found is not None
    assert found.cost == 0
    assert barriers(on_runtime(workflow, "dataflow"), crew_sizes(workflow), 1.0, seed=1, samples=9) is None


def test_barriers_are_looked_at_in_the_samples_of_the_forecast(declare: Callable[..., Workflow]) -> None:
    steps = (
        "  a: {tool: 1s to 9s}\n  b: {needs: a, tool: 1s to 9s}\n  x: {tool: 1s to 9s}\n  j: {needs: [b, x], tool: 1s}"
    )
    workflow = on_runtime(declare(steps), "langgraph")
    found = barriers(workflow, crew_sizes(workflow), 1.0, seed=5, samples=50)
    assert found is not None
    assert found.seconds == forecast(workflow, seed=5, samples=50).result.seconds.p50
    assert found.without == forecast(on_runtime(workflow, "dataflow"), seed=5, samples=50).result.seconds.p50


# The commands


def told(*arguments: object) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments), "--samples", "4"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_compare_says_what_barriers_cost_and_what_to_wrap(golden: Golden) -> None:
    said = golden(told("compare", BARRIER, "--speed", "1x", "--agents", "1", "--all"))
    assert amounts(said) >= {"2.00s", "6.00s", "8.00s"}
    assert "barriers" not in told("compare", BARRIER, "--runtime", "dataflow")


def test_a_long_branch_is_told_by_its_ends(tmp_path: Path, golden: Golden) -> None:
    chain = "".join(f"  s{n}: {{{f'needs: s{n - 1}, ' if n else ''}tool: 1s}}\n" for n in range(7))
    path = tmp_path / "long.yaml"
    steps = f"{chain}  x: {{tool: 9s}}\n  j: {{needs: [s6, x], tool: 1s}}\n"
    path.write_text(f"workflow: long\nruntime: langgraph\nsteps:\n{steps}", encoding="utf-8")
    said = golden(told("compare", path, "--speed", "1x", "--agents", "1", "--all"))
    assert amounts(said) >= {"10.0s", "16.0s", "6.00s"}


@pytest.mark.slow
def test_what_was_not_tried_is_said(tmp_path: Path, golden: Golden) -> None:
    def said(steps: str) -> str:
        path = tmp_path / "large.yaml"
        path.write_text(f"workflow: large\nruntime: langgraph\nsteps:\n{steps}", encoding="utf-8")
        return told("compare", path, "--speed", "1x", "--agents", "1", "--all")

    chain = "".join(f"  s{n}: {{{f'needs: s{n - 1}, ' if n else ''}tool: 1s}}\n" for n in range(100))
    golden(said(f"{chain}  x: {{tool: 9s}}\n"))
    random = Random(0)
    names = [f"s{n:02}" for n in range(40)]
    needs = [random.sample(names[max(0, at - 12) : at], min(at, 2)) for at in range(40)]
    lines = [
        f"  {name}: {{needs: [{', '.join(wanted)}], tool: {random.choice([1, 9])}s}}\n"
        for name, wanted in zip(names, needs, strict=True)
    ]
    golden(said("".join(lines)))
    short = "  a: {tool: 1s}\n  x: {tool: 9s}\n  b: {needs: a, tool: 1s}\n  c: {needs: b, tool: 1s}\n"
    assert "tried" not in said(short)


@pytest.mark.parametrize(
    ("head", "steps", "times"),
    [
        (  # 0–1 a, 0–8 x, 1–4 b, 4–12 c without barriers; in a subgraph b and c have two slots more: 1–4, 1–9
            "max_concurrency: 2\n",
            "  a: {tool: 1s}\n  b: {needs: a, tool: 3s}\n  c: {needs: a, tool: 8s}\n  x: {tool: 8s}\n",
            {"12.0s", "9.00s", "7.00s"},
        ),
        (
            "crews: {team: {agents: 2}}\n",
            "  a: {crew: team, tool: 3s}\n  b: {crew: team, needs: a, tool: 5s}\n  c: {crew: team, needs: a, tool: 8s}\n"
            "  d: {crew: team, needs: c, tool: 3s}\n  x: {crew: team, tool: 3s}\n  y: {crew: team, tool: 8s}\n",
            {"19.0s", "16.0s", "6.00s"},
        ),
        ("", "  a: {tool: 1s}\n  x: {tool: 9s}\n  b: {needs: a, tool: 1s}\n  c: {needs: b, tool: 1s}\n", set()),
    ],
    ids=["max_concurrency", "agents", "no reason"],
)  # fmt: skip
def test_why_a_subgraph_wins_more_than_the_barriers_cost_is_said(
    head: str, steps: str, times: set[str], tmp_path: Path, golden: Golden
) -> None:
    path = tmp_path / "more.yaml"
    path.write_text(f"workflow: more\nruntime: langgraph\n{head}steps:\n{steps}", encoding="utf-8")
    assert amounts(golden(told("compare", path, "--speed", "1x", "--agents", "2", "--all"))) >= times


def test_every_field_on_barriers_is_described() -> None:
    found = json.loads(told("compare", BARRIER, "--json"))["barriers"]
    page = (
        (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8").split("### Barriers")[1].split("\n## ")[0]
    )
    assert found["wrappings"] == [{"group": "", "steps": [["a", "b", "c"]], "seconds": 6.0}]
    assert all(f"`{name}`" in page for name in (*found, *found["wrappings"][0]))
    assert "barriers" not in json.loads(told("compare", BARRIER, "--json", "--runtime", "dataflow"))


def test_a_forecast_says_what_runtime_it_is_of(golden: Golden) -> None:
    path = ROOT / "tests" / "cases" / "max_concurrency_of_each_graph.yaml"
    said = " ".join(told("forecast", path, "--all").split())
    golden(said)
    assert "p50 4.00s" in said
    assert "Runtime" not in told("forecast", ROOT / "tests" / "cases" / "chain.yaml")


TWICE = """\
workflow: twice
model: slow
models:
  slow: {ttft: 0s, output_speed: 50, jitter: 0, price: {input: 0, output: 10}}
  fast: {based_on: slow, speed: 2x, price_multiplier: 3}
steps:
  a: {llm: {output: 50}}
  b: {needs: a, llm: {output: 50}}
  c: {needs: b, llm: {output: 50}}
  x: {tool: 5s}
  j: {needs: [c, x], tool: 1s}
"""
"""1 + 1 + 1 s beside 5 s, and 1 s: 6 s by needs; 5 + 1 + 1 + 1 with barriers, 7 on the fast tier, where b and c gain."""


@pytest.mark.parametrize(("runtime", "seconds", "chosen"), [("dataflow", 6, ()), ("langgraph", 8, ("b", "c"))])
def test_searches_are_of_a_runtime_too(runtime: str, seconds: float, chosen: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(TWICE, encoding="utf-8")
    options = ("--runtime", runtime, "--samples", "50", "--json")

    def data(*arguments: object) -> Any:
        result = CliRunner().invoke(app, [*map(str, arguments), *options])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    (only,) = data("target", path, "--p50", "1h", "--speed", "1x", "--agents", "1")["scenarios"]
    assert only["seconds"]["p50"] == pytest.approx(seconds)
    found = data("tier", path, "--fast", "fast", "--budget", "1")
    assert found["standard"]["seconds"]["p50"] == pytest.approx(seconds)
    assert tuple(found["best"]["steps"]) == chosen
    assert data("sensitivity", path)["seconds"]["p50"] == pytest.approx(seconds)
    for notes in (found["notes"], data("sensitivity", path)["notes"]):
        assert any(note["code"] == "langgraph-runtime" for note in notes) == (runtime == "langgraph")

    workflow = planner.load_workflow(path)
    (met,) = planner.target(workflow, p50="1h", speeds=[1], agents=[1], runtime=runtime, samples=50).candidates
    assert met.seconds.p50 == pytest.approx(seconds)
    tiers = planner.tier(workflow, fast="fast", budget=1, runtime=runtime, samples=50)
    assert tiers.standard.seconds.p50 == pytest.approx(seconds)
    assert planner.sensitivity(workflow, runtime=runtime, samples=50).seconds.p50 == pytest.approx(seconds)


def test_an_unknown_runtime_is_refused() -> None:
    result = CliRunner().invoke(app, ["forecast", str(BARRIER), "--runtime", "langchain"])
    assert result.exit_code == 2
