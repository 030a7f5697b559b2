"""Mechanisms that grow with the crew, worked out by hand on `PLAIN`: a request takes 1 + input/1000 + output/50 s."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from planner.engine import Samples, simulate
from planner.errors import InputError
from planner.expansion import expand
from planner.planning import Forecast, compare, explain, forecast
from planner.report import explanation_text
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow
from tests import oracle
from tests.conftest import PLAIN, Golden, amounts

Declare = Callable[..., Workflow]


def crew(coordination: str) -> str:
    return f"{PLAIN}crews: {{team: {{agents: 2, coordination: {{{coordination}}}}}}}\n"


def run(declare: Declare, coordination: str, items: int, agents: int, item: str = "llm: {output: 100}") -> Forecast:
    workflow = declare(f"  work: {{for_each: {items}, crew: team, {item}}}", crew(coordination))
    return forecast(workflow, agents=agents, samples=2)


@pytest.mark.parametrize(
    ("agents", "items", "seconds"),
    [
        (2, 4, 4 + 3 + 3),  # each agent ramps up once, then does two items
        (4, 4, 4 + 3),
        (8, 4, 4 + 3),  # four ramp up; the others do not begin the items without
        (3, 4, 4 + 3 + 3),
        (1, 4, 4 * 3),  # nobody to get in line with
        (4, 1, 3),
    ],
)
def test_agents_ramp_up_once_ahead_of_the_items(declare: Declare, agents: int, items: int, seconds: float) -> None:
    """Ramp-up: 1 + 2000/1000 + 50/50 = 4 s. An item: 1 + 100/50 = 3 s."""
    found = run(declare, "ramp_up: {input: 2000, output: 50}", items, agents)
    assert found.result.seconds.p50 == pytest.approx(seconds)
    crew_size = min(agents, items)
    assert found.result.tokens.input == (2000 * crew_size if crew_size > 1 else 0)  # per agent, not per item


def test_briefs_are_written_while_agents_ramp_up(declare: Declare) -> None:
    """Two items, two agents: ramp-up 0–4; briefs of 1 + 50/50 = 2 s at 0–2 and 2–4; items 3 s: 7 s, not 9."""
    found = run(declare, "ramp_up: {input: 2000, output: 50}, brief: {output: 50}", 2, 2)
    assert found.result.seconds.p50 == pytest.approx(4 + 3 + 0.05)  # and 50 tokens of brief to read


def test_each_fan_out_ramps_up_anew(declare: Declare) -> None:
    steps = "  a: {for_each: 2, crew: team, llm: {output: 100}}\n  b: {needs: a, for_each: 2, crew: team, llm: {output: 100}}"
    found = forecast(declare(steps, crew("ramp_up: {output: 50}")), samples=2)
    assert found.result.seconds.p50 == pytest.approx(2 * (2 + 3))


@pytest.mark.parametrize("agents", [2, 3, 6])
def test_messages_are_of_each_agent_to_all(declare: Declare, agents: int) -> None:
    """After every 2 items each of n agents reads n − 1 messages of 100 tokens and writes one: n/2 times per item.

    A sync takes 1 + (n − 1)/10 + 2 s. Six items on n agents: 6/n each, of 3 + n/2 · (3 + (n − 1)/10) s.
    """
    n = agents
    found = run(declare, "sync: {output: 100, every: 2}", 6, n)
    assert found.result.seconds.p50 == pytest.approx(6 / n * (3 + n / 2 * (3 + (n - 1) / 10)), abs=1e-5)
    assert found.result.tokens.output == 6 * 100 + 6 * n / 2 * 100
    assert found.result.tokens.input == 6 * n * (n - 1) / 2 * 100  # grows with n²


def test_the_message_share_counts_the_agents_that_have_items(declare: Declare) -> None:
    """Eight agents, two items: two agents at work, one peer each."""
    found = run(declare, "sync: {output: 100, every: 1}", 2, 8)
    assert found.result.seconds.p50 == pytest.approx(3 + 2 * (1 + 0.1 + 2))


def test_sync_is_held_and_comes_before_the_report(declare: Declare) -> None:
    """One task for the item: 3 s, one sync of 1 + 0.1 + 2 s, a report of 1 + 1 s; then the lead reads 1 + 0.05 s, twice."""
    found = run(declare, "sync: {output: 100, every: 2}, report: {output: 50}", 2, 2)
    assert found.result.seconds.p50 == pytest.approx(3 + 3.1 + 2 + 2 * 1.05)
    assert found.breakdown["coordination"] == pytest.approx(3.1 + 2 + 2 * 1.05, abs=1e-5)


def test_more_agents_cost_more_and_may_be_slower(declare: Declare) -> None:
    workflow = declare(
        "  work: {for_each: 12, crew: team, llm: {output: 100}}",
        f"{crew('ramp_up: {input: 3000, output: 50}, sync: {output: 200, every: 1}')}".replace(
            "jitter: 0", "jitter: 0, price: {input: 1, output: 5}"
        ),
    )
    results = compare(workflow, [1.0], [1, 2, 4, 8, 12], samples=2).results
    costs = [result.usd.p50 for result in results if result.usd]
    assert costs == sorted(costs)
    assert len(set(costs)) == 5
    times_ = [result.seconds.p50 for result in results]
    assert times_ == pytest.approx(
        [36] + [5 + -(-12 // n) * (3 + n * (1 + (n - 1) / 5 + 4)) for n in (2, 4, 8, 12)], abs=1e-3
    )
    assert min(times_) == times_[0]  # syncing after every item costs more than any crew gains
    shares = [result.coordination_share for result in results]
    assert shares[0] == 0
    assert shares[-1] > 0.5


def test_a_comparison_and_a_forecast_agree_for_every_size(declare: Declare) -> None:
    """Each size has a graph of its own."""
    workflow = declare(
        "  work: {for_each: 7, crew: team, llm: {output: 10 to 200}}",
        crew("ramp_up: {output: 20 to 90}, sync: {output: 9 to 20, every: 2}, redundancy: 40%"),
    )
    results = compare(workflow, [1.0], [1, 2, 3, 5, 9], samples=50).results
    for result in results:
        assert forecast(workflow, agents=result.scenario.agents, samples=50).result == result


@pytest.mark.parametrize("agents", [2, 3, 9])
def test_the_oracle_agrees_on_coordination(declare: Declare, agents: int) -> None:
    steps = "  plan: {chance: 70%, llm: {output: 100}}\n  work: {needs: plan, chance: 80%, for_each: 5, crew: team, llm: {output: 20 to 200}}"
    workflow = declare(
        steps,
        crew(
            "ramp_up: {output: 50}, brief: {output: 20}, sync: {output: 9, every: 2}, report: {output: 5}, merge: 2s, "
            "redundancy: 30%"
        ),
    )
    graph = expand(workflow, {"team": agents})
    for row in Pipeline.of(workflow, graph).draw(Samples(1, 0, 40)).at(1.0).durations:
        assert simulate(graph.graph, row[None]).makespan[0] == oracle.simulate(graph.graph, row.tolist())[2]


@pytest.mark.parametrize(("agents", "redundancy", "tokens"), [(2, 0.5, 15), (5, 0.5, 30), (5, 0.05, 14), (4, 0.04, 10)])
def test_redundant_items_are_done_by_all(declare: Declare, agents: int, redundancy: float, tokens: int) -> None:
    """Ten items; that share of them, rounded half up, n times."""
    found = run(declare, f"redundancy: {redundancy}", 10, agents)
    assert found.result.tokens.output == 100 * tokens


def test_of_redundant_items_one_that_succeeds_is_enough(declare: Declare) -> None:
    """Two items, each done by two agents that succeed in half of the cases: (1 − ½²)² of the samples are accepted."""
    workflow = declare("  work: {for_each: 2, crew: team, success: 50%, llm: {output: 9}}", crew("redundancy: 100%"))
    accepted = forecast(workflow, agents=2, samples=4000).result.accepted
    assert accepted.chance == pytest.approx(0.5625, abs=4 * accepted.standard_error)


def test_redundant_items_are_of_the_same_size(declare: Declare) -> None:
    """In lockstep all agents are done with an item at once, whatever its size, and three of one size take as long as one."""
    steps = "  work: {for_each: {count: 5, size: 0.3x to 3x}, crew: team, llm: {output: 500}}"
    together = f"{PLAIN}crews: {{team: {{agents: 3, lockstep: true, coordination: {{redundancy: 100%}}}}}}\n"
    workflow = declare(steps, together)
    results = compare(workflow, [1.0], [1, 3], samples=20).results
    assert results[0].seconds == results[1].seconds
    assert results[1].tokens.output == pytest.approx(3 * results[0].tokens.output)


def test_what_is_not_drawn_is_not_done_again(declare: Declare) -> None:
    steps = "  work: {for_each: {values: [2, 6]}, crew: team, llm: {output: 100}}"
    workflow = declare(steps, crew("redundancy: 100%"))
    for samples in (1, 2, 5):
        found = forecast(workflow, agents=2, samples=samples, seed=samples).result
        assert found.tokens.output % (2 * 200 / samples) == pytest.approx(0, abs=1e-6)
        assert 400 <= found.tokens.output <= 1200


def test_a_rework_of_several_works_is_done_once(declare: Declare) -> None:
    """Two items conflict three times each: six reworks, of three works each."""
    header = crew("merge: 1s, conflict: {chance: 100%, rework: 50%}")
    item = "a: {llm: {output: 50}}, b: {needs: a, tool: 1s}, c: {needs: b, llm: {output: 50}}"
    found = forecast(declare(f"  work: {{for_each: 2, crew: team, steps: {{{item}}}}}", header), samples=1)
    counts = {step.kind: step.occurrences for step in found.steps if step.step == "work"}
    assert counts == {"merge": 2 * 4, "rework": 2 * 3}


TURNS = {"independent": 11.4, "centralized": 27.7, "decentralized": 26.1, "hybrid": 44.3}
"""Mean turns of a trial: arXiv 2512.08296, table 5. A single agent's are 7.2."""


@pytest.mark.parametrize("preset", TURNS)
def test_presets_make_the_turns_that_they_are_taken_from(declare: Declare, preset: str) -> None:
    """100 trials of three items; an item of a request stands for 2.4 turns. A share of a message is that share of a turn."""
    found = run(declare, f"preset: {preset}", 300, 3, "llm: {output: 10}")
    each = {"llm": 2.4, "sync": 3 / 2}
    turns = sum(step.occurrences * each.get(step.kind, 1.0) for step in found.steps) / 100
    assert turns == pytest.approx(TURNS[preset], rel=0.02)


def test_presets_say_what_they_stand_for(declare: Declare, golden: Golden) -> None:
    workflow = declare(
        "  work: {for_each: 4, crew: team, llm: {output: 9}}",
        f"{PLAIN}crews: {{team: {{agents: 2, coordination: {{preset: lockstep-preassigned, merge: 2s}}}}}}\n",
    )
    assert workflow.crews["team"].lockstep
    found = forecast(workflow, samples=2)
    paragraphs = explanation_text(found, explain(workflow, found)).split("\n\n")
    (text,) = (paragraph for paragraph in paragraphs if paragraph.startswith("Crew"))
    golden(text)
    assert amounts(text) >= {"9%"}


def test_lockstep_beside_a_preset_counts(declare: Declare) -> None:
    free = f"{PLAIN}crews: {{team: {{agents: 2, lockstep: false, coordination: {{preset: lockstep-decentralized}}}}}}\n"
    assert not declare("  work: {for_each: 4, crew: team, llm: {output: 9}}", free).crews["team"].lockstep


@pytest.mark.parametrize("value", ["[hybrid]", "{hybrid: 1}", "3", "true", "elsewhere"])
def test_what_is_no_preset_is_a_mistake(declare: Declare, value: str, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        declare("  work: {for_each: 4, crew: team, llm: {output: 9}}", crew(f"preset: {value}"))
    golden(error.value)


def test_an_unknown_preset_is_a_mistake_with_a_remedy(declare: Declare, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        declare("  work: {for_each: 4, crew: team, llm: {output: 9}}", crew("preset: hibrid"))
    golden(error.value)
