"""Chances, choices and repeated rounds: which tasks are skipped, which agents are held meanwhile, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from planner.engine import Samples, simulate
from planner.expansion import Layers, expand
from planner.planning import forecast
from planner.sampling import GridPoint
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow
from tests import oracle
from tests.conftest import PLAIN, simulated

Floats = NDArray[np.float64]

Declare = Callable[..., Workflow]

TEAM = PLAIN + "crews: {team: {agents: 1}}"


def ends(workflow: Workflow, samples: int = 2000, agents: int = 1) -> Floats:
    """Completion times."""
    found = simulated(workflow, [GridPoint(1.0, {"agents": agents})], samples)
    return np.asarray(found[0])


def share(hits: Any, of: int, expected: float) -> None:
    """A count of independent hits is within five standard deviations of its expectation."""
    assert abs(np.sum(hits) - of * expected) <= 5 * np.sqrt(of * expected * (1 - expected)) + 1e-9


def test_a_step_with_a_chance_is_done_so_often_and_takes_nothing_otherwise(declare: Declare) -> None:
    found = ends(declare("  a: {human: 10s}\n  b: {needs: a, chance: 30%, human: 5s}\n  c: {needs: b, human: 1s}"))
    assert set(found) == {11.0, 16.0}
    share(found == 16, len(found), 0.3)


@pytest.mark.parametrize(("chance", "seconds"), [("0%", 1), ("100%", 6), (0, 1), (1, 6)])
def test_certain_chances_are_certain(declare: Declare, chance: object, seconds: float) -> None:
    assert set(ends(declare(f"  b: {{chance: {chance}, human: 5s}}\n  c: {{needs: b, human: 1s}}"))) == {seconds}


def test_the_chance_of_a_group_is_drawn_once_for_all_of_it(declare: Declare) -> None:
    steps = "  g:\n    chance: 50%\n    steps:\n      a: {human: 1s}\n      b: {needs: a, human: 2s}"
    found = ends(declare(steps))
    assert set(found) == {0.0, 3.0}
    share(found == 3, len(found), 0.5)


def test_the_chance_of_a_fan_out_is_drawn_once_and_of_its_steps_for_each_item(declare: Declare) -> None:
    whole = ends(declare("  f: {chance: 50%, for_each: 4, llm: {output: 50}}"))
    assert set(whole) == {0.0, 8.0}
    each = ends(declare("  f: {for_each: 4, steps: {a: {chance: 50%, llm: {output: 50}}}}"))
    for done in range(5):
        share(each == 2 * done, len(each), [1, 4, 6, 4, 1][done] / 16)


def test_a_choice_takes_one_branch(declare: Declare) -> None:
    steps = "  c:\n    choose:\n      easy: {chance: 60%, human: 1s}\n      hard: {chance: 30%, human: 7s}\n      none: {chance: 10%, tool: 0s}\n  z: {needs: c, human: 1s}"
    found = ends(declare(steps))
    for seconds, chance in ((2, 0.6), (8, 0.3), (1, 0.1)):
        share(found == seconds, len(found), chance)


def test_rounds_until_one_is_accepted_are_geometric_and_cut(declare: Declare) -> None:
    """P(k rounds) = 0.3^(k − 1) · 0.7 for k < 3, and 0.3² for three."""
    found = ends(declare("  r: {repeat: {until: 70%, at_most: 3}, human: 10s}"))
    for rounds, chance in ((1, 0.7), (2, 0.21), (3, 0.09)):
        share(found == 10 * rounds, len(found), chance)
    mean = 10 * (0.7 + 2 * 0.21 + 3 * 0.09)
    assert abs(found.mean() - mean) < 5 * found.std() / np.sqrt(len(found))


def test_certain_acceptance_is_one_round(declare: Declare) -> None:
    assert set(ends(declare("  r: {repeat: {until: 100%, at_most: 5}, human: 10s}"))) == {10.0}


def test_the_expected_tokens_of_rounds(declare: Declare) -> None:
    """Per item 1 + q + q² rounds of 100 tokens, q = 0.4; a binomial-like mean over 50 items and 2,000 samples."""
    found = forecast(declare("  r: {for_each: 50, repeat: {until: 60%, at_most: 3}, llm: {output: 100}}"), samples=2000)
    expected = 100 * (1 + 0.4 + 0.16)
    sd = 100 * np.sqrt((0.6 + 4 * 0.24 + 9 * 0.16) - 1.56**2)
    assert abs(found.result.tokens.output / 50 - expected) < 5 * sd / np.sqrt(50 * 2000)


def test_rounds_on_a_fan_out_are_of_each_item_and_around_it_of_all(declare: Declare) -> None:
    """Four items, each with an agent. Repeated inside, the slowest item decides: 1 − (1 − q)⁴. Around, all repeat together."""
    inside = ends(declare("  f: {for_each: 4, repeat: {until: 50%, at_most: 2}, llm: {output: 50}}"), agents=4)
    share(inside == 4, len(inside), 1 - 0.5**4)
    around = ends(
        declare("  g: {repeat: {until: 50%, at_most: 2}, steps: {f: {for_each: 4, llm: {output: 50}}}}"), agents=4
    )
    share(around == 4, len(around), 0.5)


def held(declare: Declare, steps: str, items: int = 2) -> Floats:
    """Completion times of items that a crew of one agent holds."""
    workflow = declare(f"  f:\n    for_each: {items}\n    crew: team\n    steps:\n{steps}", TEAM)
    return np.asarray(simulated(workflow, [GridPoint(1.0, {"team": 1})], 400)[0])


def test_an_item_keeps_its_agent_where_a_part_that_would_let_it_go_is_left_out(declare: Declare) -> None:
    """One agent, two items: a 2 s, maybe a test of 10 s that releases the agent, b 3 s (on `PLAIN`: 1 s + output/50).

    Without tests each item holds the agent throughout: 5 + 5 = 10. Two tests: a1 0–2, a2 2–4, tests until 12 and 14,
    b1 12–15, b2 15–18. Only by the first: a1 0–2, test until 12; item 2 takes the agent at 2 and keeps it until 7; b1
    12–15. Only by the second: item 1 is held 0–5, a2 5–7, test until 17, b2 17–20.
    If the agent were released without a test, item 2 would start between a1 and b1.
    """
    steps = "      a: {llm: {output: 50}}\n      t: {needs: a, chance: 50%, tool: 10s, hold: false}\n      b: {needs: t, llm: {output: 100}}"
    found = held(declare, steps)
    assert set(found) == {10.0, 18.0, 15.0, 20.0}
    for seconds in (10, 18, 15, 20):
        share(found == seconds, len(found), 0.25)


def test_an_item_that_ends_with_rounds_that_let_go_does_not_wait_for_an_agent_to_end(declare: Declare) -> None:
    """One agent, two items: rounds of 2 s and a test of 10 s that releases the agent, at most two rounds.

    One round each: 0–2, 2–4, tests until 12 and 14: 14. The end of the second item needs no agent.
    Two rounds of the first: a1 12–14, test until 24. Of the second: a2 14–16, test until 26. Of both: the same 26.
    """
    steps = "      r:\n        repeat: {until: 50%, at_most: 2}\n        steps:\n          a: {llm: {output: 50}}\n          t: {needs: a, tool: 10s, hold: false}"
    found = held(declare, steps)
    assert set(found) == {14.0, 24.0, 26.0}
    share(found == 14, len(found), 0.25)
    share(found == 26, len(found), 0.5)


def test_an_agent_is_held_over_to_what_follows_rounds(declare: Declare) -> None:
    """Rounds of (a 2 s, test 10 s that releases the agent, review 3 s), at most two, then a report of 4 s by the same agent.

    One item, one round: 2 + 10 + 3 + 4 = 19; two: 34. With two items on one agent, both accepted in the first round, item 1
    reviews at 12–15 and reports at 15–19 without queueing behind item 2, whose test ended at 14: review 19–22, report 26.
    """
    body = (
        "      r:\n        repeat: {until: %s, at_most: 2}\n        steps:\n"
        "          a: {llm: {output: 50}}\n          t: {needs: a, tool: 10s, hold: false}\n"
        "          v: {needs: t, llm: {output: 100}}\n      report: {needs: r, llm: {output: 150}}"
    )
    assert set(held(declare, body % "50%", items=1)) == {19.0, 34.0}
    assert set(held(declare, body % "100%", items=2)) == {26.0}
    found = held(declare, body % "99.999999%", items=2)  # the same, with rounds that could have been
    assert set(found) == {26.0}


def test_a_step_of_another_crew_may_be_left_out(declare: Declare) -> None:
    """One engineer, two items: a 2 s, maybe a check of 10 s by another crew, b 3 s: as with a test that releases."""
    header = (
        "models: {plain: {ttft: 1s, output_speed: 50, jitter: 0}}\nmodel: plain\n"
        "crews: {team: {agents: 2}, checkers: {agents: 2}}"
    )
    steps = "  f:\n    for_each: 3\n    crew: team\n    steps:\n      a: {llm: {output: 50}}\n      t: {needs: a, chance: 50%, crew: checkers, tool: 10s}\n      b: {needs: t, llm: {output: 100}}"
    workflow = declare(steps, header)
    found = simulated(workflow, [GridPoint(1.0, {"team": 2, "checkers": 2})], 400)[0]
    assert found.min() == 10.0  # nobody is checked: two items 0–5, the third 5–10
    share(found == 10, len(found), 0.125)


def test_a_fan_out_within_an_item_may_be_left_out(declare: Declare) -> None:
    """One agent, one item: a 2 s, maybe three searches of 2 s by the same agent, b 3 s: 5 or 11 s."""
    steps = "      a: {llm: {output: 50}}\n      s: {needs: a, chance: 50%, for_each: 3, llm: {output: 50}}\n      b: {needs: s, llm: {output: 100}}"
    found = held(declare, steps, items=1)
    assert set(found) == {5.0, 11.0}
    share(found == 11, len(found), 0.5)


def test_what_is_left_out_costs_nothing(declare: Declare) -> None:
    header = "models: {m: {ttft: 1s, output_speed: 50, jitter: 0, price: {input: 1, output: 2}}}\nmodel: m\n"
    found = forecast(declare("  a: {chance: 25%, llm: {input: 1M, output: 1M}}", header), samples=4000)
    assert found.result.usd is not None
    share(found.result.usd.mean / 3 * 4000, 4000, 0.25)
    assert found.steps[0].tokens.output == pytest.approx(found.result.usd.mean / 3 * 1e6)
    assert found.steps[0].occurrences == pytest.approx(found.result.usd.mean / 3)


def test_a_first_round_is_always_run_and_needs_no_hands(declare: Declare) -> None:
    """Without later rounds no condition is left, so the tasks themselves seize and release agents."""
    steps = "  f:\n    for_each: 2\n    crew: team\n    repeat: {until: 50%, at_most: 1}\n    steps:\n      a: {llm: {output: 50}}\n      t: {needs: a, tool: 10s, hold: false}"
    graph = expand(declare(steps, TEAM), {"team": 1})
    assert graph.skips == ()
    assert (graph.graph.acquire >= 0).sum() == 2  # each request seizes the agent of the crew


def test_draws_of_conditions_stay_with_their_items(declare: Declare) -> None:
    """Another item does not change the conditions of the items before it."""

    def fixed(count: int) -> Floats:
        workflow = declare(f"  f: {{for_each: {count}, steps: {{a: {{chance: 50%, human: 4s}}}}}}")
        graph = expand(workflow, {"agents": 1})
        times = Pipeline(graph, {}, Layers()).draw(Samples(1, 0, 256)).times
        return np.asarray(times.fixed[0][graph.works[0].tasks])

    assert np.array_equal(fixed(20), fixed(21)[:20])


@pytest.mark.parametrize("agents", [1, 2, 3])
def test_the_oracle_agrees_on_all_that_conditions_skip(declare: Declare, agents: int) -> None:
    """Agent tasks, skipped tasks and agents held across tasks, on graphs as the planner schedules them."""
    header = (
        "models: {m: {ttft: 1s, output_speed: 50, jitter: 0}}\nmodel: m\n"
        f"crews: {{team: {{agents: {agents}, coordination: {{brief: {{output: 50}}, report: {{output: 20}}, merge: 2s}}}}, ci: {{agents: 2}}}}"
    )
    steps = """  plan: {chance: 60%, llm: {output: 100}}
  work:
    needs: plan
    chance: 80%
    for_each: 7
    crew: team
    steps:
      change:
        repeat: {until: 60%, at_most: 3}
        steps:
          edit: {llm: {output: 50 to 200}}
          test: {needs: edit, chance: 70%, tool: 5s, hold: false}
          ci: {needs: test, chance: 50%, crew: ci, tool: 3s to 9s}
          look:
            needs: ci
            choose:
              person: {chance: 20%, human: 6s}
              agent: {chance: 50%, llm: {output: 30}}
              both: {chance: 30%, for_each: 2, llm: {output: 40}}
  end: {needs: work, human: 1s}"""
    workflow = declare(steps, header)
    graph = expand(workflow, {"team": agents, "ci": 2})
    samples = Samples(1, 0, 256)
    durations = Pipeline.of(workflow, graph).draw(samples).at(1.0).durations
    assert len(durations) == len(samples)
    for row in durations[:60]:
        found = simulate(graph.graph, row[None])
        start, end, makespan = oracle.simulate(graph.graph, row.tolist())
        assert found.makespan[0] == makespan
        assert np.array_equal(found.start, start, equal_nan=True)
        assert np.array_equal(found.end, end, equal_nan=True)


def test_the_chance_of_a_choice_and_the_choice_are_draws_of_their_own(declare: Declare) -> None:
    """The choice is made in half of the samples, then each branch in half of these: 1/2, 1/4, 1/4."""
    steps = "  c: {chance: 50%, choose: {a: {chance: 50%, human: 1s}, b: {chance: 50%, human: 7s}}}"
    found = ends(declare(steps))
    for seconds, chance in ((0, 0.5), (1, 0.25), (7, 0.25)):
        share(found == seconds, len(found), chance)


@pytest.mark.parametrize(("chance", "each"), [("0%", 5), ("100%", 9)])
def test_an_agent_is_given_back_by_what_is_always_done(declare: Declare, chance: str, each: float) -> None:
    """Two items on one agent: a race of 2 s requests, a request of 4 s that may be skipped, and one of 3 s."""
    header = "models: {m: {ttft: 1s, output_speed: 50, jitter: 0}}\nmodel: m"
    steps = f"""
      item:
        for_each: 2
        steps:
          a: {{first_of: 2, llm: {{output: 50}}}}
          b: {{needs: a, chance: {chance}, llm: {{output: 150}}}}
          c: {{needs: b, llm: {{output: 100}}}}
    """
    assert set(ends(declare(steps, header))) == {2 * each}
