"""The pay of people, tools and crews: in random workflows against independent sums, and in decisions worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.catalogue import Premium
from planner.engine import TICK, Samples
from planner.expansion import crew_sizes, expand
from planner.expansion.graph.work import Stagger
from planner.measures.critical_path import DetailCollector
from planner.planning import Target, compare, find_cheapest, forecast
from planner.planning.results import Scenario
from planner.timing.pipeline import Pipeline, ScheduledSamples
from planner.workflow import Workflow, read_workflow
from tests import oracle
from tests.theory.test_language import Writer

FREE = "models: {plain: {ttft: 1s, output_speed: 50, jitter: 0}}\nmodel: plain\n"
PRICED = "models: {plain: {ttft: 1s, output_speed: 50, jitter: 0, price: {input: 2, output: 10}}}\nmodel: plain\n"


def paid(data: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a random workflow in which some crews, people and tools are paid."""

    def pay() -> Any:
        return random.choice(["$3600/h", "0.25", "7200/h", 4])

    def steps(declared: dict[str, Any]) -> dict[str, Any]:
        return {name: step(each) for name, each in declared.items()}

    def step(declared: dict[str, Any]) -> dict[str, Any]:
        declared = dict(declared)
        for body in ("steps", "choose"):
            if body in declared:
                declared[body] = steps(declared[body])
        for body in ("tool", "human"):
            if body in declared and random.random() < 0.7:
                value = declared[body]
                declared[body] = {**(value if isinstance(value, dict) else {"time": value}), "usd": pay()}
        if "agent" in declared and random.random() < 0.7:
            declared["agent"] = {**declared["agent"], "tool": {**declared["agent"]["tool"], "usd": pay()}}
        return declared

    crews = {name: dict(crew) for name, crew in data.get("crews", {}).items()}
    for crew in crews.values():
        crew |= random.choice(
            [{}, {"usd": pay()}, {"usd": "3600/h", "paid": "always"}, {"usd": "1800/h", "paid": "busy"}]
        )
    return {**data, **({"crews": crews} if crews else {}), "steps": steps(data["steps"])}


def random_workflow(seed: int, folder: Path) -> Workflow:
    random = Random(seed)
    path = folder / "paid.yaml"
    path.write_text(yaml.safe_dump(paid(Writer(random).file(), random), sort_keys=False), encoding="utf-8")
    return read_workflow(path)


def simulated(workflow: Workflow, samples: int = 3, speed: float = 1.5) -> ScheduledSamples:
    pipeline = Pipeline.of(workflow, expand(workflow, crew_sizes(workflow)), requests=1)
    draws = pipeline.draw(Samples(1, 0, samples), speed, detailed=True)
    return draws.at(speed).schedule(slice(0, samples), traced=True, recorded=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pay")


def arrivals(run: ScheduledSamples) -> dict[int, float]:
    """Return for each task with a stagger the seconds until the agent arrives: agent j comes j staggers later."""
    found: dict[int, float] = {}
    for mark in run.graph.works:
        if isinstance(mark.subject.body, Stagger):
            for index, task in np.ndenumerate(mark.tasks):
                found[int(task)] = index[-1] * mark.subject.body.seconds
    return found


def ramp_ups(run: ScheduledSamples) -> set[int]:
    return {int(task) for mark in run.graph.works if mark.subject.kind == "ramp_up" for task in mark.tasks.flat}


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_crews_are_paid_as_the_oracle_holds_them(folder: Path, seed: int) -> None:
    workflow = random_workflow(seed, folder)
    run = simulated(workflow)
    times, found = run.times, run.crew_usd
    assert found.keys() == {name for name, crew in workflow.crews.items() if crew.usd}
    for row in range(len(run.durations)):
        sample = oracle.Sample(
            run.graph.graph, run.durations[row].tolist(), times.patience[row].tolist(), times.away[row].tolist()
        )
        sample.free = meter = oracle.Metered(sample)
        sample.run()
        for name, usd in found.items():
            crew, pool = workflow.crews[name], run.graph.pools.index(name)
            assert crew.usd is not None
            arrived = {task: at for task, at in arrivals(run).items() if sample.acquire[task] == pool}
            ran = [task for task in arrived if not sample.is_skipped(task) and not math.isnan(sample.start[task])]
            absent = sum(min(sample.end[task] - sample.start[task], arrived[task]) for task in ran)
            hours = (meter.held[pool] - absent) / 3600
            if crew.paid == "always":
                hours = meter.capacity[pool] * sample.makespan / 3600
            seizures = sum(
                sample.acquire[task] == pool and not sample.is_skipped(task) and not math.isnan(start)
                for task, start in enumerate(sample.start)
            ) - sum(task not in ramp_ups(run) for task in ran)
            units = hours if crew.usd.hourly else seizures
            assert usd[row] == pytest.approx(units * float(crew.usd.usd), rel=1e-9, abs=1e-9)


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_people_and_tools_are_paid_for_the_work_that_was_done(folder: Path, seed: int) -> None:
    """The seconds and the occurrences of steps are measured apart from costs."""
    workflow = random_workflow(seed, folder)
    run = simulated(workflow)
    collector = DetailCollector(run.graph, {name: service.profile for name, service in run.service.items()})
    collector.add(run)
    steps = {(step.step, step.kind): step for step in collector.detail.works}
    works = {mark.subject: mark.tasks.size for mark in run.graph.works}
    for work, tasks in works.items():
        step, body = steps[work.step, work.kind], work.body
        if work.kind not in ("tool", "human"):
            continue
        declared = body.usd  # type: ignore[union-attr]
        assert work.pay == declared
        if declared is None:
            assert step.pay is None
            continue
        assert step.pay is not None
        usd, rate = step.pay.mean().mean, float(declared.usd)
        waits = work.retry is not None and work.retry.wait.scale > 0
        leaves = work.kind == "human" and body.leaves is not None  # type: ignore[union-attr]
        if declared.hourly and not leaves:
            slack = 1e-9 + rate / 3600 * tasks * TICK  # each occurrence is rounded to ticks
            hours = step.seconds.mean().mean / 3600
            assert usd <= rate * hours + slack if waits else usd == pytest.approx(rate * hours, rel=1e-9, abs=slack)
        elif not declared.hourly and work.kind == "human":
            assert usd == pytest.approx(rate * step.done.mean().mean, rel=1e-9, abs=1e-9)


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_pay_of_steps_and_crews_adds_up_to_the_cost(folder: Path, seed: int) -> None:
    workflow = random_workflow(seed, folder)
    found = forecast(workflow, samples=20)
    usd = found.result.usd
    assert usd is not None
    crews = sum(crew.usd.mean for crew in found.crews if crew.usd)
    own = sum(step.usd_people_and_machines or 0.0 for step in found.steps)
    slack = 1e-9 * (len(found.crews) + 1)  # the pay of crews is rounded to nanodollars
    assert sum(step.usd or 0.0 for step in found.steps) + crews == pytest.approx(usd.mean, rel=1e-9, abs=slack)
    assert own + crews == pytest.approx(usd.people_and_machines, rel=1e-9, abs=slack)
    assert usd.models + usd.people_and_machines == pytest.approx(usd.mean, rel=1e-9)


@pytest.mark.slow
@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_scenario_of_a_comparison_pays_as_its_forecast(folder: Path, seed: int) -> None:
    workflow = random_workflow(seed, folder)
    crew = next(iter(workflow.crews), None)
    for result in compare(workflow, [1.0, 2.5], [1, 2, 3], crew=crew, samples=9).results:
        scenario = result.scenario
        alone = forecast(workflow, speed=scenario.speed, agents=scenario.agents, crew=crew, samples=9).result
        assert (alone.seconds, alone.usd) == (result.seconds, result.usd)


def written(folder: Path, text: str) -> Workflow:
    path = folder / "one.yaml"
    path.write_text(f"workflow: one\n{text}", encoding="utf-8")
    return read_workflow(path)


REVIEW = """crews: {reviewers: {agents: 2, usd: $60/h, paid: %s}}
steps:
  write: {%s}
  review: {needs: write, for_each: 4, crew: reviewers, human: 1h}
"""

W = 10_000 / 3600
"""Hours that a tool of 10,000 s takes before the review."""


def test_a_speed_that_nobody_sells_leaves_the_pay_of_people_as_it_is(folder: Path) -> None:
    """At twice the speed, the price law with an exponent of 1 doubles the price of 300k output tokens: $3 to $6."""
    workflow = written(
        folder, PRICED.replace("input: 2", "input: 0") + REVIEW % ("busy", "agent: {turns: 3, output: 100k}")
    )
    for speed, models in ((1.0, 3.0), (2.0, 6.0)):
        usd = forecast(workflow, speed=speed, premium=Premium(1), samples=2).result.usd
        assert usd is not None
        assert (usd.models, usd.people_and_machines, usd.mean) == pytest.approx((models, 240.0, 240.0 + models))


def test_the_price_of_an_hour_contains_the_pay_of_those_who_wait(folder: Path) -> None:
    """Reviews take 4 h, 2 h or 1 h. Agents paid while held cost 240 USD, however many there are, so the most are best.

    If they are always paid, one costs 60 · (4 + W), two 120 · (2 + W), and four 240 · (1 + W). That is 60 W more for two
    hours less, and then 120 W for one hour less.
    """
    busy, always = (written(folder, REVIEW % (paid, "tool: 10000s")) for paid in ("busy", "always"))
    decisions = compare(busy, [1.0], [1, 2, 4], samples=4).decisions
    assert decisions.pareto_p50 is not None
    assert [point.scenario.agents for point in decisions.pareto_p50] == [4]
    assert [point.usd.value for point in decisions.pareto_p50] == pytest.approx([240.0])
    found = compare(always, [1.0], [1, 2, 4], samples=4).decisions
    assert found.pareto_p50 is not None
    assert found.price_of_an_hour is not None
    assert [point.scenario.agents for point in found.pareto_p50] == [1, 2, 4]
    costs = [60 * (4 + W), 120 * (2 + W), 240 * (1 + W)]
    assert [point.usd.value for point in found.pareto_p50] == pytest.approx(costs)
    assert [trade.usd_per_hour.value for trade in found.price_of_an_hour] == pytest.approx([30 * W, 120 * W], rel=1e-6)


def test_a_budget_counts_the_pay_of_people(folder: Path) -> None:
    """Two reviewers take 2 h and W, for 120 · (2 + W) USD. One is late, and four cost more: 240 · (1 + W)."""
    goal = Target(0.5, (2 + W) * 3600 + 1, 120 * (2 + W) + 1)
    answer = find_cheapest(written(folder, REVIEW % ("always", "tool: 10000s")), goal, [1.0], [1, 2, 4], samples=4)
    standings = {one.scenario.agents: (one.in_time, one.in_budget) for one in answer.candidates}
    assert standings == {1: ("misses", "meets"), 2: ("meets", "meets"), 4: ("meets", "misses")}
    assert answer.cheapest is not None
    assert answer.cheapest.scenario == Scenario("", 1.0, 2)


def test_people_have_a_known_cost_unless_a_model_has_none(folder: Path) -> None:
    people = "  ask: {human: {time: 30min, usd: $80/h}}\n"
    known = forecast(written(folder, "steps:\n" + people), samples=2)
    assert known.result.usd is not None
    assert (known.result.usd.mean, known.result.usd.models) == (40.0, 0.0)
    crew = "crews: {w: {agents: 2, usd: 5/h}}\n"
    unknown = forecast(
        written(folder, FREE + crew + "steps:\n  write: {crew: w, llm: {output: 50}}\n" + people), samples=2
    )
    assert unknown.result.usd is None
    assert all(step.usd is None and step.usd_people_and_machines is None for step in unknown.steps)
    assert all(one.usd is None for one in unknown.crews)


def test_items_that_are_drawn_are_paid_where_they_exist(folder: Path) -> None:
    """The cost of a sample is $3 for each of its items, and $10 for each hour of two agents who need an hour for each."""
    crew = "crews: {w: {agents: 2, usd: 10/h}}\n"
    fan_out = "steps: {f: {for_each: 2 to 9, crew: w, human: {time: 1h, usd: 3}}}\n"
    workflow = written(folder, crew + fan_out)
    run = simulated(workflow, 200)
    items = (run.durations == 3600).sum(1)
    assert len(np.unique(items)) > 5
    cost = run.cost()
    assert cost is not None
    assert cost.at(7.0) == pytest.approx(13.0 * items)


def test_a_crew_that_is_always_paid_costs_its_rate_on_langgraph_too(folder: Path) -> None:
    text = "runtime: langgraph\ncrews: {w: {agents: 3, usd: 10/h, paid: always}, v: {agents: 2, usd: 2}}\n"
    steps = "steps: {a: {crew: v, tool: 30min}, b: {tool: 1h}, c: {needs: a, crew: w, human: 1h}}\n"
    usd = forecast(written(folder, text + steps), samples=2).result.usd
    assert usd is not None
    assert usd.mean == pytest.approx(3 * 10 * 2 + 2)  # `c` waits for `b`, which is in the superstep of `a`


@pytest.mark.parametrize(
    ("usd", "ramp_up", "total"),
    [
        ("36/h, paid: busy", "", 0.6),  # 60 s of work; nobody is there before the arrivals
        ("36/h, paid: busy", "ramp_up: {output: 250}, ", 0.75),  # and 3 · 5 s to ramp up
        ("36/h, paid: always", "", 1.2),  # 3 agents from the start to the end, after 40 s
        ("0.50", "", 1.5),  # 3 items
        ("0.50", "ramp_up: {output: 250}, ", 3.0),  # and 3 ramp-ups
    ],
)
def test_agents_are_paid_from_their_arrival_or_from_the_start(
    folder: Path, usd: str, ramp_up: str, total: float
) -> None:
    """Three agents arrive after 0, 10 and 20 s, and each does one item of 20 s."""
    crew = f"crews: {{w: {{agents: 3, usd: {usd}, coordination: {{{ramp_up}stagger: 10s}}}}}}\n"
    model = FREE.replace("ttft: 1s", "ttft: 0s").replace("jitter: 0", "jitter: 0, price: {input: 0, output: 0}")
    workflow = written(folder, model + crew + "steps: {f: {for_each: 3, crew: w, human: 20s}}\n")
    found = forecast(workflow, samples=2)
    assert found.result.usd is not None
    assert found.result.usd.mean == pytest.approx(total)


def test_an_agent_who_has_not_arrived_is_not_busy(folder: Path) -> None:
    """Three agents work 20 s each of 3 · 40 s."""
    crew = "crews: {w: {agents: 3, coordination: {stagger: 10s}}}\n"
    found = forecast(written(folder, crew + "steps: {f: {for_each: 3, crew: w, human: 20s}}\n"), samples=2)
    (team,) = found.crews
    assert team.utilisation.mean == pytest.approx(0.5)
