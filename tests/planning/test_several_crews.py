"""Several crews that vary: a plan worked out by hand, the rule against brute force, and generated plans in full."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from planner.errors import InputError
from planner.planning import Comparison, DecisionOptions, Scenario, compare, forecast
from planner.planning.crew_numbers import MOST_COMBINATIONS, CrewNumbers
from planner.planning.decisions.advice import Point, Rule
from planner.report.data.comparisons import comparison_data
from planner.workflow import Workflow
from tests.conftest import PLAIN
from tests.planning.advice_rule import brute_force

Declare = Callable[..., Workflow]

PRICED = PLAIN.replace("jitter: 0", "jitter: 0, price: {input: 0, output: 1000}")

STEPS = """\
  code: {for_each: 12, crew: coders, tool: 60s}
  review: {needs: code, for_each: 12, crew: reviewers, tool: 30s}
"""
"""12 times 60 s by coders, then 12 times 30 s by reviewers."""


def two(coders: int, reviewers: int) -> str:
    return PRICED + f"crews: {{coders: {{agents: {coders}}}, reviewers: {{agents: {reviewers}}}}}\n"


def hand_worked(coders: int, reviewers: int) -> float:
    return 60 * -(-12 // coders) + 30 * -(-12 // reviewers)


def compared(workflow: Workflow, coders: list[int], reviewers: list[int], **options: Any) -> Comparison:
    return compare(workflow, [1.0], {"coders": coders, "reviewers": reviewers}, samples=2, **options)


def test_every_combination_is_simulated(declare: Declare) -> None:
    found = compared(declare(STEPS, two(4, 1)), [2, 4, 12], [1, 3])
    assert [each.scenario for each in found.results] == [
        Scenario("plain", 1.0, coders, (("reviewers", reviewers),)) for reviewers in (1, 3) for coders in (2, 4, 12)
    ]
    for each in found.results:
        assert each.seconds.p50 == hand_worked(each.scenario.agents, each.scenario.agents_of("reviewers"))


@pytest.mark.parametrize(
    ("declared", "coders", "reviewers", "verdict_code", "to", "saved"),
    [
        # 180 + 360 s. 12 coders and 12 reviewers take 60 + 30 s; 5% of 90 s allow no other combination.
        ((4, 1), [4, 6, 12], [1, 6, 12], "more-agents", (12, 12), 450),
        # Coders alone: 120 s less for 12. The 3 reviewers stay.
        ((4, 3), [4, 12], [3], "more-agents", (12, 3), 120),
        # 60 + 30 s with 24 and 12; as quick with 12 coders.
        ((24, 12), [12, 24], [12], "fewer-agents", (12, 12), 0),
        # 7 agents: 6 coders and 1 reviewer take 120 + 360 s, 4 and 3 take 180 + 120 s. 3 and 3 take 240 + 120 s.
        ((6, 1), [3, 4], [3], "rebalance", (4, 3), 180),
        # 60 + 30 s already.
        ((12, 12), [6, 12], [6, 12], "keep", (12, 12), 0),
    ],
)
def test_advice_by_hand(
    declare: Declare, declared: tuple[int, int], coders: list[int], reviewers: list[int], verdict_code: str,
    to: tuple[int, int], saved: float,
) -> None:  # fmt: skip
    advice = compared(declare(STEPS, two(*declared)), coders, reviewers).advice
    assert (advice.verdict, advice.recommended.agents, advice.recommended.agents_of("reviewers")) == (verdict_code, *to)
    assert (advice.enough, dict(advice.others)) == (to[0], {"reviewers": to[1]})
    assert (advice.change.saved if advice.change else 0) == saved
    assert advice.declared == Scenario("plain", 1.0, declared[0], (("reviewers", declared[1]),))


def test_each_crew_alone_is_measured(declare: Declare) -> None:
    """From 4 and 1, so 180 + 360 s: 12 coders save 120 s, 12 reviewers 330 s. Neither is a requested combination."""
    found = compared(declare(STEPS, two(4, 1)), [6, 12], [6, 12])
    assert [(each.before, each.after.crews, each.saved) for each in found.each_crew] == [
        (found.advice.declared, (12, (("reviewers", 1),)), 120),
        (found.advice.declared, (4, (("reviewers", 12),)), 330),
    ]
    assert [each["saved"] for each in comparison_data(found)["each_crew"]] == [120, 330]
    single = compared(declare(STEPS, two(4, 3)), [12], [3])
    assert (single.advice.verdict, single.each_crew) == ("more-agents", ())
    assert "each_crew" not in comparison_data(compare(declare(STEPS, two(4, 3)), agents=[4], crew="coders", samples=2))


def test_the_next_step_up_is_of_the_crew_that_gains_more(declare: Declare) -> None:
    """From 4 and 1: 8 coders save 60 s, 2 reviewers save 180 s. At a threshold of 99% nothing is recommended."""
    options = DecisionOptions(worth=0.99)
    advice = compared(declare(STEPS, two(4, 1)), [4, 8], [1, 2], wishes=options).advice
    assert advice.verdict == "keep"
    assert advice.more is not None
    assert (advice.more.after.crews, advice.more.saved) == ((4, (("reviewers", 2),)), 180)
    assert advice.over_one is not None
    assert (advice.over_one.before.crews, advice.over_one.saved) == ((1, (("reviewers", 1),)), 540)


def test_the_declared_scenario_is_measured_too(declare: Declare) -> None:
    """Declared are 3 and 2: 240 + 180 s. None of the compared combinations is as quick."""
    found = compared(declare(STEPS, two(3, 2)), [1, 2], [1, 4])
    assert (found.advice.verdict, found.advice.declared_seconds) == ("keep", 420)
    assert found.advice.recommended not in [each.scenario for each in found.results]


def test_decisions_about_numbers_are_of_the_first_crew(declare: Declare) -> None:
    """The reviewers have their declared number 2, though only 1 and 4 are compared."""
    found = compared(declare(STEPS, two(3, 2)), [1, 4], [1, 4])
    assert found.decisions.exchange.tried == (1, 3, 4, 12)
    assert found.decisions.ceilings.infinite_agents.p50.value == hand_worked(12, 2)
    assert found.decisions.one == Scenario("plain", 1.0, 1, (("reviewers", 2),))
    assert found.advice.recommended.crews == (4, (("reviewers", 4),))


def test_other_crews_are_held_against_those_that_vary(declare: Declare) -> None:
    steps = STEPS + "  test: {needs: review, for_each: 12, crew: testers, tool: 300s}\n"
    header = PRICED + "crews: {coders: {agents: 4}, reviewers: {agents: 1}, testers: {agents: 1}}\n"
    assert compared(declare(steps, header), [4], [1]).advice.other_crew == "testers"
    every = compare(declare(steps, header), [1.0], {"coders": [4], "reviewers": [1], "testers": [1]}, samples=2)
    assert every.advice.other_crew is None
    chosen = compare(declare(steps, header), [1.0], samples=2).advice
    assert (chosen.crew, chosen.chosen, chosen.other_crew) == ("testers", True, "reviewers")


def test_too_many_combinations_are_refused(declare: Declare) -> None:
    workflow = declare(STEPS, two(4, 1))
    few = {"coders": range(1, 17), "reviewers": range(1, MOST_COMBINATIONS // 16 + 1)}
    assert len(CrewNumbers.of(workflow, few).others) == MOST_COMBINATIONS // 16
    with pytest.raises(InputError) as error:
        compare(workflow, agents={**few, "coders": range(1, 18)})
    assert [problem.code for problem in error.value.problems] == ["too-large"]
    assert CrewNumbers.of(workflow, {"coders": range(1, 1000)}).others == ((),)


def test_repeated_numbers_count_once(declare: Declare) -> None:
    workflow = declare(STEPS, two(4, 1))
    assert CrewNumbers.of(workflow, {"coders": [4, 4], "reviewers": [1, 1]}) == CrewNumbers(
        "coders", (4,), ((("reviewers", 1),),)
    )


# The rule against brute force over its sentences.


def random_rule(seed: int) -> Rule:
    """Times that fall with the agents of each of two or three crews and with speed; costs; some prices unknown."""
    draw = random.Random(seed)
    rows = [("a", 1.0), *(("a", speed) for speed in draw.sample([0.5, 1.5, 2.5], draw.randint(0, 2)))]
    rows += [(name, 1.0) for name in ("b", "c")[: draw.randint(0, 2)]]
    names = ("y", "z")[: draw.randint(1, 2)]
    numbers = [sorted(draw.sample(range(1, 12), draw.randint(1, 4))) for _ in (0, *names)]
    crews = [(first, tuple(zip(names, rest, strict=True))) for first, *rest in product(*numbers)]
    work = [draw.uniform(0, 900) for _ in numbers]
    fixed, noise, per_agent = draw.uniform(0, 300), draw.choice([0, 0.02, 0.2]), draw.choice([0.0, 0.05])
    priced = draw.random() > 0.1
    points = {}
    for model, speed in rows:
        factor = {"a": speed, "b": 1.4, "c": 2.5}[model]
        price = 10 * factor ** draw.uniform(0.5, 1.5)
        for first, rest in crews:
            counts = [first, *(count for _, count in rest)]
            parts = sum(each / count for each, count in zip(work, counts, strict=True))
            seconds = (fixed + parts / factor) * draw.uniform(1 - noise, 1 + noise)
            usd = price + per_agent * sum(counts) if priced else None
            points[Scenario(model, speed, first, rest)] = Point(seconds, usd)
    asked = {crew for crew in crews if draw.random() < 0.7} if draw.random() < 0.3 else None
    declared = draw.choice(crews)
    return Rule(
        points,
        Scenario("a", 1.0, *declared),
        {"c": draw.choice(["limited", "retired"])} if draw.random() < 0.5 else {},
        draw.choice([0.0, 0.01, 0.05, 0.2]),
        draw.choice([None, None, 5.0, 120.0, 2000.0]),
        None if asked is None else {declared, *asked},
    )


def test_the_rule_is_brute_force_over_its_sentences() -> None:
    seen = set()
    for seed in range(3000):
        rule = random_rule(seed)
        choice = rule.choose()
        assert (choice.verdict, choice.recommended, choice.enough) == brute_force(rule), seed
        seen.add(choice.verdict)
    assert seen == {"more-agents", "fewer-agents", "rebalance", "faster", "both", "keep"}


# Generated plans with two crews against forecasts of every combination.


def generated(number: int) -> tuple[str, str, dict[str, list[int]], float | None]:
    """Return steps, header, numbers to compare and value of an hour."""
    draw = random.Random(f"two crews {number}")

    def work() -> str:
        middle = draw.uniform(50, 900)
        output = f"{middle * draw.uniform(0.5, 0.9):.0f} to {middle * draw.uniform(1.1, 2):.0f}"
        return draw.choice([f"llm: {{input: 2k, output: {output}}}", f"tool: {middle / 10:.0f}s to {middle / 5:.0f}s"])

    items = draw.randint(8, 20)
    apart = draw.random() < 0.5
    steps = (
        f"  code: {{for_each: {items}, crew: coders, {work()}}}\n"
        f"  review: {{needs: code, for_each: {items}, crew: reviewers, {work()}}}\n"
        if apart
        else f"  items:\n    for_each: {items}\n    steps:\n      code: {{crew: coders, {work()}}}\n"
        f"      review: {{needs: code, crew: reviewers, {work()}}}\n"
    )
    declared = draw.randint(1, 6), draw.randint(1, 6)
    numbers = {
        name: sorted({count, *draw.sample(range(1, 10), 2)})
        for name, count in zip(("coders", "reviewers"), declared, strict=True)
    }
    merge = draw.choice(["", ", coordination: {merge: 5s to 20s}"])
    header = PRICED.replace("jitter: 0,", "") + (
        f"crews: {{coders: {{agents: {declared[0]}{merge}}}, reviewers: {{agents: {declared[1]}}}}}\n"
    )
    return steps, header, numbers, draw.choice([None, None, 100.0, 2000.0])


@pytest.mark.parametrize("number", range(6))
def test_generated_plans_are_forecasts_of_every_combination(declare: Declare, number: int) -> None:
    steps, header, numbers, value = generated(number)
    workflow = declare(steps, header)
    speeds = (1.0, 2.5)
    found = compare(workflow, speeds, numbers, samples=32, wishes=DecisionOptions(value_of_time=value))
    results = {each.scenario: each for each in found.results}
    points = {}
    for speed, coders, reviewers in product(speeds, numbers["coders"], numbers["reviewers"]):
        alone = forecast(
            workflow, speed=speed, agents={"coders": coders, "reviewers": reviewers}, samples=32
        ).result  # fmt: skip
        scenario = Scenario("plain", speed, coders, (("reviewers", reviewers),))
        assert (results[scenario].seconds, results[scenario].usd) == (alone.seconds, alone.usd)
        points[scenario] = Point(alone.seconds.p50, alone.usd.mean if alone.usd else None)
    assert results.keys() == points.keys()
    rule = Rule(points, found.advice.declared, {}, usd_per_hour=value)
    recommended = (found.advice.verdict, found.advice.recommended, found.advice.enough, found.advice.others)
    code, best, named = brute_force(rule)
    assert recommended == (code, best, named.agents, named.others)
