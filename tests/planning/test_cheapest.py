"""The cheapest scenario of `planner target` against brute force over a fine grid: what can be bought comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import planner
from planner.api.request import Simulation, TargetRequest
from planner.catalogue.premium import FITTED
from planner.cli.app import app
from planner.engine.statistics import ranks
from planner.errors import InputError, Note
from planner.loading import load
from planner.planning import Candidate, Scenario, Target, TargetResult, find_cheapest
from planner.planning.grid import Grid
from planner.planning.results import ALIKE
from planner.planning.sizing import Sizing
from planner.planning.target.cheapest import neighbours
from planner.sampling import Stopping, ThreadBackend
from planner.workflow import Workflow
from tests.conftest import ROOT

Declare = Callable[..., Workflow]

SAMPLES = 128

PRICED = (
    "models: {plain: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {input: 0, output: 10}}}\n"
    "model: plain\n"
)

ITEMS = "  a: {for_each: 10, crew: team, llm: {output: 200 to 2k}}\n  b: {needs: a, tool: 5s to 20s}"

PAID = "  a: {for_each: 12, crew: team, llm: {output: 1k to 3k}}\n  b: {needs: a, crew: team, tool: 200s to 400s}"
"""The crew is paid for all of the run: more agents cost more while b runs, and fewer are late."""

TWO_CREWS = """  work:
    for_each: 12
    crew: coders
    steps:
      write: {llm: {output: 1k to 3k}}
      check: {needs: write, crew: checkers, human: 20s to 60s}"""


def brute(
    workflow: Workflow, target: Target, scenarios: Iterable[Scenario], crew: str | None = None
) -> list[Candidate]:
    """All scenarios that surely meet a target, each simulated on the draws of the search."""
    grid = Grid(workflow, Sizing.of(workflow, crew), FITTED, 1, ThreadBackend())
    grid.take(scenarios, Stopping(SAMPLES))
    candidates = [Candidate.of(scenario, samples, target) for scenario, samples in grid.found.items()]
    return [candidate for candidate in candidates if candidate.standing == "meets"]


def usd(candidate: Candidate | None) -> float:
    assert candidate is not None
    assert candidate.usd is not None
    return candidate.usd.mean


@pytest.mark.parametrize("percentile", [0.5, 0.9, 0.95])
def test_the_cheapest_hypothetical_speed_is_that_of_a_fine_grid(declare: Declare, percentile: float) -> None:
    """10 items of 5 to 41 s at 1x: no number of agents is enough at 1x, so each number needs a speed."""
    workflow = declare(ITEMS, PRICED + "crews: {team: {agents: 2}}")
    target = Target(percentile, 50.0)
    found = find_cheapest(workflow, target, [1.0, 2.0], [1, 4], samples=SAMPLES)
    speeds = [float(f"{speed:.3g}") for speed in np.geomspace(1, 4, 70)]
    fine = [Scenario("plain", speed, count) for speed in speeds for count in range(1, 11)]
    best = min(map(usd, brute(workflow, target, fine)))
    step = speeds[1] / speeds[0]
    assert found.cheapest is not None
    assert found.cheapest.availability == "hypothetical"
    assert best / step <= usd(found.cheapest) <= best * (1 + ALIKE)
    assert found.cheapest.scenario not in {candidate.scenario for candidate in found.candidates}


@pytest.mark.parametrize("deadline", [420.0, 500.0, 600.0, 800.0])
def test_the_cheapest_number_of_paid_agents_is_that_of_all_numbers(declare: Declare, deadline: float) -> None:
    workflow = declare(PAID, PRICED + "crews: {team: {agents: 2, usd: 30/h, paid: always}}")
    target = Target(0.9, deadline)
    found = find_cheapest(workflow, target, [1.0], [1, 4, 12], samples=SAMPLES)
    meeting = brute(workflow, target, [Scenario("plain", 1.0, count) for count in range(1, 13)])
    assert found.cheapest is not None
    assert found.cheapest.rank == (0 if meeting else 2)  # with no number at 1x, only hypothetical speeds are left
    assert not meeting or usd(found.cheapest) <= min(map(usd, meeting)) * (1 + ALIKE)


@pytest.mark.parametrize(("deadline", "budget"), [(260.0, None), (300.0, None), (400.0, None), (300.0, 2.5)])
def test_the_cheapest_agents_of_two_crews_are_those_of_all_combinations(
    declare: Declare, deadline: float, budget: float | None
) -> None:
    crews = "crews: {coders: {agents: 2, usd: 20/h, paid: always}, checkers: {agents: 1, usd: 60/h, paid: always}}"
    workflow = declare(TWO_CREWS, PRICED + crews)
    target = Target(0.9, deadline, budget)
    requested = {"coders": [1, 4], "checkers": [1, 2]}
    found = find_cheapest(workflow, target, [1.0], requested, samples=SAMPLES)
    every = [Scenario("plain", 1.0, coders, (("checkers", checkers),)) for coders in range(1, 13)
             for checkers in range(1, 13)]  # fmt: skip
    meeting = brute(workflow, target, every, "coders")
    assert bool(meeting) == (found.cheapest is not None)
    if meeting:
        assert usd(found.cheapest) <= min(map(usd, meeting)) * (1 + ALIKE)
    assert found.crews == ("coders", "checkers")
    assert len(found.candidates) == 4


def test_twice_the_agents_are_tried_if_more_agents_cost_less(declare: Declare) -> None:
    """A person is paid until the end. One more than 32 coders saves under 1%, and twice as many a tenth."""
    steps = """  a: {for_each: 128, crew: coders, llm: {output: 1k to 3k}}
  b: {needs: a, crew: person, human: 200s to 400s}"""
    workflow = declare(steps, PRICED + "crews: {coders: {agents: 32}, person: {agents: 1, usd: 60/h, paid: always}}")
    target = Target(0.9, 900.0)
    found = find_cheapest(workflow, target, [1.0], {"coders": [1, 32]}, samples=SAMPLES)
    every = [Scenario("plain", 1.0, count) for count in range(1, 129)]
    costs = {each.scenario.agents: usd(each) for each in brute(workflow, target, every, "coders")}
    assert costs[33] > costs[32] * (1 - ALIKE)
    assert min(costs.values()) < 0.9 * costs[32]
    assert usd(found.cheapest) <= min(costs.values()) * (1 + 2 * ALIKE)


def test_needed_agents_of_a_crew_are_found_for_each_number_of_the_other(declare: Declare) -> None:
    """12 items: ⌈12 / coders⌉ requests of 10 s, and then, or meanwhile, ⌈12 / checkers⌉ checks of 10 s."""
    steps = TWO_CREWS.replace("1k to 3k", "450").replace("20s to 60s", "10s")
    workflow = declare(steps, PRICED + "crews: {coders: {agents: 2}, checkers: {agents: 1}}")
    found = find_cheapest(workflow, Target(0.9, 70.0), [1.0], {"coders": [2, 12], "checkers": [3, 12]}, samples=4)
    needed = {(need.crew, need.at.scenario.agents, need.at.scenario.others[0][1]): need.value for need in found.agents}
    # 12 checks by 3 people take 40 s and begin after 10 s; 2 coders need 60 s, and the last two checks 10 s more
    assert needed["coders", 2, 12] == 2
    assert needed["checkers", 2, 2] == 2
    assert needed["checkers", 12, 2] == 2
    assert found.cheapest is not None
    assert (found.cheapest.scenario.agents, found.cheapest.scenario.others) == (2, (("checkers", 2),))
    assert {need.crew for need in found.speeds} == {None}


def test_neighbours_have_one_agent_more_or_less() -> None:
    assert set(neighbours([2], 4, wide=False)) == {(1,), (3,)}
    assert set(neighbours([1], 1, wide=False)) == set()
    assert set(neighbours([1, 3], 3, wide=False)) == {(2, 3), (1, 2), (2, 2)}
    assert set(neighbours([3], 5, wide=True)) == {(2,), (4,), (5,)}
    assert set(neighbours([16], 99, wide=True)) == {(15,), (17,), *((16 + 2 * step,) for step in range(1, 9))}


# Percentiles


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95])
def test_percentiles_of_time_and_money_are_those_of_the_samples(declare: Declare, q: float) -> None:
    workflow = declare(ITEMS, PRICED + "crews: {team: {agents: 2}}")
    grid = Grid(workflow, Sizing.of(workflow), FITTED, 1, ThreadBackend())
    scenario = Scenario("plain", 1.0, 2)
    grid.take([scenario], Stopping(400))
    samples = grid.found[scenario]
    assert samples.usd is not None
    limits = (float(np.quantile(samples.seconds.first, q)), float(np.quantile(samples.usd.first, q)))
    candidate = Candidate.of(scenario, samples, Target(q, *limits))
    assert candidate.usd is not None
    name = f"p{100 * q:.0f}"
    for values, drawn, limit in (
        (candidate.seconds, samples.seconds.first, limits[0]),
        (candidate.usd, samples.usd.first, limits[1]),
    ):
        assert getattr(values, name) == pytest.approx(limit)
        low, high = (np.sort(drawn)[rank] for rank in ranks(400, q))
        assert (getattr(values, f"{name}_low"), getattr(values, f"{name}_high")) == (low, high)
    assert (candidate.usd_low, candidate.usd_high) == (
        getattr(candidate.usd, f"{name}_low"), getattr(candidate.usd, f"{name}_high"),
    )  # fmt: skip
    assert candidate.in_time == candidate.in_budget == "limit"  # each limit is the percentile of the samples
    above = Candidate.of(scenario, samples, Target(q, 2 * limits[0], 2 * limits[1]))
    below = Candidate.of(scenario, samples, Target(q, limits[0] / 2, limits[1] / 2))
    assert (above.in_time, above.in_budget) == ("meets", "meets")
    assert (below.in_time, below.in_budget) == ("misses", "misses")


def test_few_samples_are_not_sure_of_a_p95(declare: Declare) -> None:
    workflow = declare("  a: {tool: 5s to 20s}", PRICED)
    few = find_cheapest(workflow, Target(0.95, 1000.0), [1.0], [1], samples=60)
    assert few.cheapest is None
    assert few.candidates[0].standing == "limit"
    assert Note("few-samples", {"samples": 60, "percentile": 0.95, "needed": 92}) in few.notes
    many = find_cheapest(workflow, Target(0.95, 1000.0), [1.0], [1], samples=200)
    assert many.cheapest is not None
    assert "few-samples" not in {note.code for note in many.notes}


# What can be bought


TIERS = """workflow: tiers
models:
  slow: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {input: 0, output: 10}}
  fast: {based_on: slow, speed: 2x, price_multiplier: 6AVAILABLE}
model: slow
steps: {a: {llm: {output: 5000}}}
"""
"""101 s for 0.05 USD, or 51 s for 0.30 USD."""


def requested(folder: Path, text: str, deadline: float, **options: object) -> TargetResult:
    file = folder / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    request = TargetRequest(
        workflow=load(file), target=Target(0.9, deadline), simulation=Simulation(samples=8),
        **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return request.run()


def test_a_tier_that_is_sold_comes_before_a_cheaper_hypothetical_speed(tmp_path: Path) -> None:
    sold = TIERS.replace("AVAILABLE", "")
    found = requested(tmp_path, sold, 60.0)
    assert found.cheapest is not None
    assert (found.cheapest.scenario.model, found.cheapest.scenario.speed) == ("fast", 1)
    assert found.cheapest.availability == ""
    assert [(one.scenario.model, one.scenario.speed) for one in found.candidates] == [("slow", 1), ("fast", 1)]
    cheaper = found.restricted_cheapest
    assert cheaper is not None
    assert (cheaper.scenario.model, cheaper.scenario.speed) == ("slow", 1.7)  # 100 / 59 = 1.695
    assert cheaper.availability == "hypothetical"
    assert usd(cheaper) < usd(found.cheapest)
    assert found.next_cheaper is not None
    assert found.next_cheaper.scenario == Scenario("slow", 1.0, 1)
    assert {need.model for need in found.speeds} == {"slow"}
    slow = requested(tmp_path, sold, 200.0)
    assert slow.cheapest is not None
    assert slow.cheapest.scenario.model == "slow"
    assert (slow.restricted_cheapest, slow.next_cheaper, slow.perhaps) == (None, None, None)


def test_limited_comes_before_hypothetical_and_after_what_is_sold(tmp_path: Path) -> None:
    limited = TIERS.replace("AVAILABLE", ", available: limited")
    found = requested(tmp_path, limited, 60.0)
    assert found.cheapest is not None
    assert (found.cheapest.scenario.model, found.cheapest.availability) == ("fast", "limited")
    assert found.restricted_cheapest is not None
    assert found.restricted_cheapest.availability == "hypothetical"
    retired = TIERS.replace("AVAILABLE", ", available: retired")
    hypothetical = requested(tmp_path, retired, 60.0, models=["slow", "fast"], speeds=[1.0])
    assert hypothetical.cheapest is not None
    assert hypothetical.cheapest.availability == "hypothetical"
    alone = requested(tmp_path, retired, 60.0)  # a retired tier is not tried: the default speeds are
    assert {one.scenario.model for one in alone.candidates} == {"slow"}
    assert len({one.scenario.speed for one in alone.candidates}) == 5


def test_what_is_sold_comes_closest_if_nothing_is_enough(tmp_path: Path) -> None:
    found = requested(tmp_path, TIERS.replace("AVAILABLE", ", available: limited"), 0.5)
    assert found.cheapest is None
    assert found.obstacle is not None
    assert found.obstacle.closest.scenario == Scenario("slow", 1.0, 1)
    assert [holder.name for holder in found.obstacle.holders] == ["a"]


# Crews


def test_of_several_crews_the_one_that_holds_the_plan_up_is_tried(declare: Declare) -> None:
    steps = TWO_CREWS.replace("20s to 60s", "5min")
    workflow = declare(steps, PRICED + "crews: {coders: {agents: 6}, checkers: {agents: 3}}")
    found = find_cheapest(workflow, Target(0.9, 1500.0), [1.0], samples=64)
    assert (found.crews, found.chosen) == (("checkers",), True)
    assert found.crew_drag > 0.3
    assert [one.scenario.agents for one in found.candidates] == [1, 2, 3, 4, 8]  # 12 items: 16 would have no work
    assert found.cheapest is not None
    assert found.cheapest.scenario.agents == 3  # 4 checks one after the other take 20 min
    named = find_cheapest(workflow, Target(0.9, 1500.0), [1.0], crew="coders", samples=16)
    assert (named.crews, named.chosen) == (("coders",), False)
    with pytest.raises(InputError, match="several crews"):
        find_cheapest(workflow, Target(0.9, 1500.0), [1.0], [1, 2], samples=16)
    many = {"coders": range(1, 30), "checkers": range(1, 30)}
    with pytest.raises(InputError, match="841 combinations"):
        find_cheapest(workflow, Target(0.9, 1500.0), [1.0], many, samples=16)


# The first screen


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["target", *map(str, arguments)])


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("fix_bugs", ("--p90", "4h")),
        ("fix_bugs", ("--p90", "1h", "--budget", "1")),
        ("deep_research", ("--p95", "2min", "--agents", "searchers=2,4", "--agents", "researchers=1,2,3")),
        ("support_triage", ("--p50", "3h")),
    ],
)
def test_the_first_screen_has_25_lines_and_two_notes(file: str, options: tuple[str, ...]) -> None:
    path = ROOT / "workflows" / f"{file}.yaml"
    shown = run(path, *options, "--samples", 100)
    assert shown.exit_code in (0, 1), shown.output
    lines = shown.stdout.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("Note:") for line in lines) <= 2
    assert any("--all" in line for line in lines)
    everything = run(path, *options, "--samples", 100, "--all").stdout
    assert len(everything.splitlines()) > len(lines)
    assert max(map(len, everything.splitlines())) <= 80


def test_python_prints_the_first_screen() -> None:
    path = ROOT / "workflows" / "fix_bugs.yaml"
    result = planner.target(planner.load_workflow(path), p95="4h", budget=40, agents={"fixers": [1, 4]}, samples=100)
    assert result.cheapest is not None
    assert result.target == Target(0.95, 4 * 3600.0, 40.0)
    options = ("--p95", "4h", "--budget", 40, "--agents", "fixers=1,4", "--samples", 100)
    assert str(result) == run(path, *options).stdout.removesuffix("\n")
