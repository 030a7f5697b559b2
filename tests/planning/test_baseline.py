"""One baseline for forecast and compare: one agent in each crew of agents, all else as declared."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

from planner.expansion.graph.task_graph import DEFAULT_CREW, crew_sizes
from planner.planning.baseline import Baseline, agent_crews
from planner.planning.comparison import compare
from planner.planning.forecast import forecast
from planner.planning.results import Result
from planner.planning.sizing import Sizing
from planner.report.data.comparisons import comparison_csv, comparison_data
from planner.report.data.forecasts import forecast_data
from planner.report.html.forecasts import forecast_html
from planner.report.text.comparisons import comparison_text
from planner.report.text.forecasts import forecast_text
from planner.workflow import Workflow, read_workflow
from tests.conftest import PLAIN

Declare = Callable[..., Workflow]

SAMPLES, SPEED = 40, 2.5

PLANS = {
    "no crews": ("", "  a: {for_each: 6, llm: {output: 100 to 400}}\n  b: {needs: a, human: 3s to 9s}"),
    "one crew": (
        "crews: {fixers: {agents: 3, coordination: {brief: {output: 50}, merge: 2s to 5s}}}",
        "  a: {for_each: 7, crew: fixers, agent: {turns: 2 to 4, output: 50 to 150}}",
    ),
    "agents and people": (
        "crews: {desk: {agents: 4}, people: {agents: 3}}",
        "  a: {for_each: 8, crew: desk, llm: {output: 500}}\n"
        "  b: {needs: a, for_each: 8, crew: people, human: 5s to 10s}",
    ),
    "two crews of agents": (
        "crews: {coders: {agents: 4}, reviewers: {agents: 2, coordination: {report: {output: 40}}}}",
        "  a:\n    for_each: 6\n    steps:\n"
        "      code: {crew: coders, llm: {output: 100 to 300}}\n"
        "      read: {needs: code, crew: reviewers, llm: {output: 50 to 100}}",
    ),
    "three crews": (
        "crews: {coders: {agents: 3}, testers: {agents: 2}, people: {agents: 2}}",
        "  a: {for_each: 6, crew: coders, llm: {output: 100 to 300}}\n"
        "  b: {needs: a, for_each: 6, crew: testers, steps: {run: {tool: 2s to 8s}, judge: {needs: run, llm: {output: 30}}}}\n"
        "  c: {needs: a, for_each: 4, crew: people, human: 4s to 12s}",
    ),
    "people alone": (
        "crews: {people: {agents: 3}}",
        "  a: {for_each: 8, crew: people, human: 5s to 10s}\n  b: {needs: a, llm: {output: 300}}",
    ),
    "no requests": ("", "  a: {for_each: 8, human: 5s to 10s}"),
}  # fmt: skip


def plan(crews: str, steps: str) -> Workflow:
    return read_workflow(f"workflow: plan\n{PLAIN}{crews}\nsteps:\n{steps}\n")


def sizes_of(workflow: Workflow, crew: str, agents: int) -> dict[str, int]:
    return {**crew_sizes(workflow), crew: agents}


def ratios(result: Result) -> tuple[float, float | None, float | None, float | None]:
    errors = result.standard_errors
    return result.speedup, result.efficiency, errors.speedup, errors.efficiency


def p50(workflow: Workflow, sizes: Mapping[str, int], speed: float) -> float:
    return forecast(workflow, agents=sizes, speed=speed, samples=SAMPLES).result.seconds.p50


def agreed(workflow: Workflow, crew: str, agents: list[int]) -> None:
    """Check each scenario of a comparison against a forecast, and against the p50 of separate forecasts."""
    baseline = Baseline.of(workflow)
    comparison = compare(workflow, [1, SPEED], agents, crew=crew, samples=SAMPLES)
    assert comparison.baseline == baseline
    alone = {speed: p50(workflow, baseline.sizes, speed) for speed in (1.0, SPEED)}
    for result in comparison.results:
        speed, sizes = result.scenario.speed, sizes_of(workflow, crew, result.scenario.agents)
        single = forecast(workflow, agents=sizes, speed=speed, samples=SAMPLES)
        assert single.baseline == baseline
        assert single.result.seconds.p50 == result.seconds.p50
        assert ratios(single.result) == ratios(result)
        assert result.speedup == alone[1.0] / result.seconds.p50
        sized = [sizes[name] for name in baseline.crews]
        if sized:
            expected = alone[speed] / result.seconds.p50 * len(sized) / sum(sized)
            assert result.efficiency == pytest.approx(expected, rel=1e-12)
        else:
            assert result.efficiency is None
            assert result.standard_errors.efficiency is None


@pytest.mark.parametrize("name", PLANS)
def test_forecast_and_compare_of_one_scenario_agree(name: str) -> None:
    workflow = plan(*PLANS[name])
    for crew in workflow.crews or (DEFAULT_CREW,):
        agreed(workflow, crew, [2, 5])


@pytest.mark.parametrize("name", PLANS)
def test_every_way_to_write_the_declared_scenario_has_one_speedup(name: str) -> None:
    workflow = plan(*PLANS[name])
    declared = crew_sizes(workflow)
    ways = [None, declared or None, *({crew: size} for crew, size in declared.items())]
    found = {ratios(forecast(workflow, agents=agents, samples=SAMPLES).result) for agents in ways}
    assert len(found) == 1


def random_plan(seed: int) -> Workflow:
    """Return a plan with 0 to 3 crews of agents, people and tools, in groups and fan-outs."""
    dice = random.Random(seed)
    names = ["coders", "desk", "people"][: seed % 4]
    lines = []
    for number in range(dice.randint(2, 4)):
        bodies = {
            "llm": f"llm: {{output: {dice.randint(50, 200)} to {dice.randint(201, 500)}}}",
            "agent": "agent: {turns: 2 to 4, output: 20 to 60, tool: 1s to 3s}",
            "tool": f"tool: {dice.randint(1, 4)}s to 9s",
            "human": f"human: {dice.randint(1, 4)}s to 20s",
        }
        crew = f"crew: {dice.choice(names)}, " if names and dice.random() < 0.8 else ""
        needs = f"needs: s{number - 1}, " if number and dice.random() < 0.5 else ""
        items = f"for_each: {dice.randint(2, 7)}, " if dice.random() < 0.8 else ""
        body, inner = dice.choice(list(bodies.values())), dice.choice(list(bodies.values()))
        if dice.random() < 0.4:
            own = f"crew: {dice.choice(names)}, " if names and dice.random() < 0.5 else ""
            body = f"steps: {{x: {{{body}}}, y: {{needs: x, {own}{inner}}}}}"
        lines.append(f"  s{number}: {{{needs}{crew}{items}{body}}}")
    parts = ["", ", coordination: {brief: {output: 30}, merge: 1s to 3s}", ", coordination: {ramp_up: {output: 60}}"]
    crews = ", ".join(f"{name}: {{agents: {dice.randint(1, 4)}{dice.choice(parts)}}}" for name in names)
    return plan(f"crews: {{{crews}}}" if crews else "", "\n".join(lines))


@pytest.mark.parametrize("seed", range(16))
def test_forecast_and_compare_agree_on_random_plans(seed: int) -> None:
    workflow = random_plan(seed)
    crew = random.Random(seed).choice(list(workflow.crews) or [DEFAULT_CREW])
    agreed(workflow, crew, [1, 3])


@pytest.mark.parametrize(("items", "agents"), [(12, 1), (12, 2), (12, 3), (12, 4), (12, 6), (12, 12), (12, 5), (12, 8)])
def test_efficiency_of_equal_items(items: int, agents: int) -> None:
    """n agents do equal items in rounds: items / (n * ceil(items / n)), which is 1 if n divides the items."""
    workflow = plan("crews: {team: {agents: 2}}", f"  a: {{for_each: {items}, crew: team, llm: {{output: 100}}}}")
    rounds = -(-items // agents)
    result = forecast(workflow, agents=agents, speed=SPEED, samples=2).result
    assert result.efficiency == pytest.approx(items / (agents * rounds))
    assert (result.efficiency == pytest.approx(1)) is (items % agents == 0)
    assert result.speedup == pytest.approx((1 + 2) / (1 + 2 / SPEED) * items / rounds)  # 1 s TTFT, 2 s decode


def test_efficiency_of_two_crews_is_over_their_mean_size() -> None:
    """12 items of 3 s by coders, then 12 of 2 s by reviewers: 60 s alone, and 36 / c + 24 / r s with c and r of them."""
    workflow = plan(
        "crews: {coders: {agents: 2}, reviewers: {agents: 2}, people: {agents: 2}}",
        "  a: {for_each: 12, crew: coders, llm: {output: 100}}\n"
        "  b: {needs: a, for_each: 12, crew: reviewers, llm: {output: 50}}\n"
        "  c: {for_each: 2, crew: people, human: 1s}",
    )
    for coders, reviewers in [(1, 1), (2, 2), (4, 4), (6, 2)]:
        sizes = {"coders": coders, "reviewers": reviewers}
        result = forecast(workflow, agents=sizes, samples=2).result
        speedup = 60 / (36 / coders + 24 / reviewers)
        assert result.speedup == pytest.approx(speedup)
        assert result.efficiency == pytest.approx(speedup / ((coders + reviewers) / 2))


def test_a_crew_is_of_agents_if_an_llm_or_agent_step_runs_on_it() -> None:
    """A crew is named by a step or by a step around it. Requests of coordination do not count, nor does the lead."""
    workflow = plan(
        "crews:\n"
        "  outer: {agents: 2}\n  branch: {agents: 2}\n  mixed: {agents: 2}\n  idle: {agents: 2}\n  runners: {agents: 2}\n"
        "  editors: {agents: 2, coordination: {brief: {output: 9}, report: {output: 9}, merge: {output: 9}}}",
        "  a: {crew: outer, steps: {x: {steps: {y: {llm: {output: 9}}}}, z: {crew: runners, tool: 1s}}}\n"
        "  b: {choose: {l: {chance: 50%, crew: branch, agent: {turns: 2, output: 9}}, r: {chance: 50%, tool: 1s}}}\n"
        "  c: {crew: mixed, steps: {h: {human: 1s}, l: {needs: h, llm: {output: 9}}}}\n"
        "  d: {for_each: 3, crew: editors, human: 1s}\n"
        "  e: {crew: lead, llm: {output: 9}}\n"
        "  f: {llm: {output: 9}}",
    )
    assert agent_crews(workflow) == ("outer", "branch", "mixed")
    assert Baseline.of(workflow).sizes == {
        "outer": 1, "branch": 1, "mixed": 1, "idle": 2, "runners": 2, "editors": 2
    }  # fmt: skip


def test_a_workflow_without_crews_makes_one_request_at_a_time() -> None:
    workflow = plan("", "  a: {for_each: 4, llm: {output: 100}}")
    found = forecast(workflow, samples=2)
    assert found.baseline == Baseline("plain", 1.0, {DEFAULT_CREW: 1}, (DEFAULT_CREW,))
    assert found.result.speedup == pytest.approx(4)
    assert found.result.efficiency == pytest.approx(1)


def test_people_count_as_declared_and_have_no_efficiency() -> None:
    """8 items of 10 s: 3 people take 30 s, 4 take 20 s. The baseline is the declared plan."""
    workflow = plan("crews: {people: {agents: 3}}", "  a: {for_each: 8, crew: people, human: 10s}")
    declared, more = (forecast(workflow, agents=agents, samples=40) for agents in (None, 4))
    assert declared.result.speedup == 1
    assert more.result.speedup == pytest.approx(1.5)
    assert declared.baseline == Baseline("plain", 1.0, {"people": 3}, ())
    assert forecast_data(more)["efficiency"] is None
    assert forecast_data(more)["baseline"] == {"model": "plain", "speed": 1.0, "sizes": {"people": 3}, "crews": []}
    assert " as fast as " not in forecast_text(declared) + forecast_html(declared)
    assert " as fast as " in forecast_text(more)
    comparison = compare(workflow, [1], [2, 3, 4], samples=40)
    assert [result.speedup for result in comparison.results] == pytest.approx([0.75, 1, 1.5])
    assert [scenario["efficiency"] for scenario in comparison_data(comparison)["scenarios"]] == [None] * 3
    assert "efficiency," in comparison_csv(comparison).splitlines()[0]
    assert "Efficiency" not in comparison_text(comparison)


def test_the_baseline_keeps_the_declared_model() -> None:
    """A request of 3 s on `plain` takes 2 s on `twice`. Both refer to `plain`, at the efficiency of `twice`."""
    text = (
        "workflow: plan\nmodel: plain\nmodels:\n"
        "  plain: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0}\n"
        "  twice: {ttft: 1s, prefill_speed: 1000, output_speed: 100, jitter: 0}\n"
        "crews: {team: {agents: 2}}\nsteps:\n  a: {for_each: 4, crew: team, llm: {output: 100}}\n"
    )
    workflow = read_workflow(text)
    single = forecast(workflow.on("twice"), samples=SAMPLES)
    (of_compare,) = compare(workflow, [1], [2], models=["twice"], samples=SAMPLES).results
    assert single.baseline.model == "plain"
    assert ratios(single.result) == ratios(of_compare)
    assert single.result.speedup == pytest.approx(3)
    assert single.result.efficiency == pytest.approx(1)


def test_the_column_of_one_agent_is_no_baseline_if_other_crews_are_of_agents() -> None:
    workflow = plan(*PLANS["three crews"])
    several = compare(workflow, [1], [1, 2], crew="coders", samples=SAMPLES)
    assert several.baseline_scenario is None
    assert several.results[0].scenario.agents == several.decisions.one.agents == 1
    assert several.results[0].speedup > 1
    only = compare(plan(*PLANS["agents and people"]), [1], [1, 2], crew="desk", samples=SAMPLES)
    assert only.baseline_scenario == only.decisions.one
    assert only.results[0].speedup == only.results[0].efficiency == 1
    people = compare(plan(*PLANS["people alone"]), [1], [1, 2], crew="people", samples=SAMPLES)
    assert people.baseline_scenario is not None
    assert people.baseline_scenario.agents == 3
    assert Sizing.of(workflow, "coders").sizes(1) != several.baseline.sizes


def test_ceilings_are_speedups_over_the_baseline() -> None:
    workflow = plan(*PLANS["two crews of agents"])
    found = compare(workflow, [1], [4], crew="coders", samples=SAMPLES)
    ceiling = found.decisions.ceilings.infinite_speed
    base = p50(workflow, found.baseline.sizes, 1.0)
    assert ceiling.speedup.value == pytest.approx(base / ceiling.p50.value)
