"""The advice takes what can be bought first, across numbers of agents and speeds: plans by hand, and random rules.

On `plain`, an item of 450 output tokens takes 1 + 9 s, at 2.5x 1 + 3.6 s, and at 5x 1 + 1.8 s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
from planner.planning import Scenario
from planner.planning.decisions.advice import AVAILABILITY, Advice, Point, Rule, availability
from tests.planning.advice_rule import brute_force

TEXT = """\
workflow: test
model: plain
models:
  plain: {{ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {{input: 0, output: 1000}}{declared}}}
  {tier}
crews: {{team: {{agents: {agents}}}}}
steps:
  a: {{for_each: {items}, crew: team, {work}}}
"""

REQUEST = "llm: {output: 450}"


@dataclass(frozen=True)
class Plan:
    """A plan worked out by hand.

    tier : speed of a tier `quick`, and its availability; None: there is no tier, and 2.5x is compared
    to : recommended model, speed and number of agents
    saved : seconds that the recommended scenario saves
    faster : model, speed and availability of the next faster step, and the seconds that it saves; None: there is none
    """

    items: int
    agents: int
    tier: tuple[str, str] | None
    verdict: str
    to: tuple[str, float, int]
    saved: float
    faster: tuple[str, float, str, float] | None
    work: str = REQUEST
    declared: str = ""


SIXTEEN, ELEVEN = ("plain", 1.0, 16), ("plain", 1.0, 11)

BY_HAND = {
    # 16 items on 2 agents: 80 s; on 16 agents 10 s, and 4.6 s at 2.5x, which is over 5% of 80 s less.
    "more agents before agents at an unsold speed": Plan(
        16, 2, None, "more-agents", SIXTEEN, 70, ("plain", 2.5, "hypothetical", 5.4)
    ),
    "agents on a tier that is sold": Plan(16, 2, ("2.5x", ""), "both", ("quick", 1.0, 16), 75.4, None),
    "more agents before agents on a limited tier": Plan(
        16, 2, ("2.5x", "limited"), "more-agents", SIXTEEN, 70, ("quick", 1.0, "limited", 5.4)
    ),
    # 11 items on 10 agents: 20 s; on 11 agents 10 s. At 5x, 10 agents take 5.6 s, and 11 agents 2.8 s.
    "one agent more before a limited tier that saves more": Plan(
        11, 10, ("5x", "limited"), "more-agents", ELEVEN, 10, ("quick", 1.0, "limited", 7.2)
    ),
    "one agent more on a tier that is sold": Plan(11, 10, ("5x", ""), "both", ("quick", 1.0, 11), 17.2, None),
    # 8 items on 16 agents: 10 s, and on 8 agents too. At 2.5x they take 4.6 s.
    "fewer agents before an unsold speed": Plan(
        8, 16, None, "fewer-agents", ("plain", 1.0, 8), 0, ("plain", 2.5, "hypothetical", 5.4)
    ),
    "fewer agents before a limited tier": Plan(
        8, 16, ("2.5x", "limited"), "fewer-agents", ("plain", 1.0, 8), 0, ("quick", 1.0, "limited", 5.4)
    ),
    "a tier that is sold before fewer agents": Plan(8, 16, ("2.5x", ""), "faster", ("quick", 1.0, 16), 5.4, None),
    # 8 items on 8 agents: 10 s. No number of agents saves anything.
    "an unsold speed if nothing sold is worth it": Plan(8, 8, None, "faster", ("plain", 2.5, 8), 5.4, None),
    "a limited tier if nothing sold is worth it": Plan(
        8, 8, ("2.5x", "limited"), "faster", ("quick", 1.0, 8), 5.4, None
    ),
    # The declared model is limited or retired. It may still have more agents.
    "more agents of a limited model": Plan(
        16, 2, None, "more-agents", SIXTEEN, 70, ("plain", 2.5, "hypothetical", 5.4), declared=", available: limited"
    ),
    "more agents of a retired model": Plan(
        16, 2, None, "more-agents", SIXTEEN, 70, ("plain", 2.5, "retired", 5.4), declared=", available: retired"
    ),
    # 8 tools on 8 agents: 10 s on any model. A model that serves no request is not restricted.
    "keep if nothing is worth it": Plan(
        8, 8, ("2.5x", "limited"), "keep", ("plain", 1.0, 8), 0, ("quick", 1.0, "", 0), work="tool: 10s"
    ),
}


def advised(plan: Plan, **options: object) -> Advice:
    tier = ""
    if plan.tier is not None:
        speed, available = plan.tier
        marked = f", available: {available}" if available else ""
        tier = f"quick: {{based_on: plain, speed: {speed}, price_multiplier: 2{marked}}}"
    text = TEXT.format(
        tier=tier, agents=plan.agents, items=plan.items, work=plan.work, declared=plan.declared
    )  # fmt: skip
    return planner.compare(planner.load_workflow(text), samples=4, **options).advice  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BY_HAND)
def test_plans_by_hand(name: str) -> None:
    plan = BY_HAND[name]
    advice = advised(plan)
    recommended = advice.recommended
    assert (advice.verdict, (recommended.model, recommended.speed, recommended.agents)) == (plan.verdict, plan.to)
    assert (advice.change.saved if advice.change else 0) == pytest.approx(plan.saved, abs=1e-4)
    if plan.faster is None:
        assert advice.faster is None
        return
    assert advice.faster is not None
    after, (model, speed, availability, saved) = advice.faster.after, plan.faster
    assert (after.model, after.speed, after.agents) == (model, speed, recommended.agents)
    assert advice.faster.availability == availability
    assert advice.faster.saved == pytest.approx(saved, abs=1e-4)
    assert advice.faster.worth == (saved > 0)


def test_limited_comes_before_hypothetical() -> None:
    """8 items on 8 agents: the limited tier saves 5.4 of 10 s. At 5x, which nobody sells, 7.2 s would be saved."""
    plan = Plan(8, 8, ("2.5x", "limited"), "faster", ("quick", 1.0, 8), 5.4, None)
    advice = advised(plan, models=["plain", "quick"], speeds=[1, 5])
    assert (advice.verdict, advice.recommended) == ("faster", Scenario("quick", 1.0, 8))
    assert advice.faster is not None
    assert (advice.faster.after.speed, advice.faster.availability) == (5, "hypothetical")


@pytest.mark.parametrize("available", ["", "limited"])
def test_a_value_of_time_does_not_change_the_order(available: str) -> None:
    """For $4,000 an hour, the 5.4 s that 16 agents save on the tier, $6, are worth less than its $7.20 for 16 items.

    For $6,000 an hour they are worth $9. If the tier is limited, more agents come first all the same.
    """
    plan = replace(BY_HAND["more agents before agents on a limited tier"], tier=("2.5x", available))
    verdicts = {value: advised(plan, value_of_time=value).verdict for value in (4000, 6000)}
    assert verdicts == {4000: "more-agents", 6000: "more-agents" if available else "both"}


# Random rules.

NAMES = dict(zip(("plain", "sold", "limited", "retired"), ("", "", "limited", "retired"), strict=True))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Rules over models of each availability, at 1x and at speeds that nobody sells."""
    numbers = sorted(draw(st.sets(st.integers(1, 9), min_size=1, max_size=3)))
    speeds = [1.0, *draw(st.sets(st.sampled_from([0.5, 2.0, 4.0]), max_size=2))]
    models = ["plain", *sorted(draw(st.sets(st.sampled_from(list(NAMES)[1:]))))]
    seconds, usd = st.integers(1, 40).map(float), st.none() | st.integers(0, 9).map(float)
    priced = draw(st.booleans())
    scenarios = [Scenario(model, speed, number) for model in models for speed in speeds for number in numbers]
    points = {}
    for index, scenario in enumerate(scenarios):  # no two are equally good: the rule says nothing about ties of models
        cost = draw(usd if priced else st.none())
        points[scenario] = Point(draw(seconds) + index / 1024, None if cost is None else cost + index / 2048)
    declared = Scenario("plain", 1.0, draw(st.sampled_from(numbers)))
    restricted = {name: NAMES[name] for name in models if NAMES[name]}
    if draw(st.booleans()):
        restricted["plain"] = draw(st.sampled_from(["limited", "retired"]))
    value = draw(st.none() | st.sampled_from([60.0, 3600.0]))
    return Rule(points, declared, restricted, draw(st.sampled_from([0.0, 0.05, 0.3])), value)


@settings(max_examples=300, deadline=None)
@given(rules())
def test_the_rule_is_brute_force_over_its_sentences(rule: Rule) -> None:
    choice = rule.choose()
    assert (choice.verdict, choice.recommended, choice.enough) == brute_force(rule)


@settings(max_examples=300, deadline=None)
@given(rules(), st.integers(0, len(AVAILABILITY) - 1))
def test_what_is_harder_to_buy_changes_only_the_verdict_keep(rule: Rule, level: int) -> None:
    """Without the scenarios above a level, the choice is the same, or it was ``keep``."""
    easy = {
        each: point
        for each, point in rule.points.items()
        if each.row == rule.row or AVAILABILITY.index(rule.availability(each)) <= level
    }
    # A value of time counts only if all costs are known: with fewer scenarios, they may be.
    if rule.usd_per_hour is not None and any(point.usd is None for point in rule.points.values()):
        rule = replace(rule, usd_per_hour=None)
    few, all_of_them = replace(rule, points=easy).choose(), rule.choose()
    assert few == all_of_them or few.verdict == "keep"


@settings(max_examples=300, deadline=None)
@given(rules())
def test_only_rivals_decide_whether_a_row_may_be_chosen(rule: Rule) -> None:
    """The chosen scenario is in a row that has a rival, and is worth the change from it."""
    best = rule.choose().recommended
    if best.row != rule.row:
        easier = [row for row in rule.rows if rule.rank(row) < rule.rank(best.row)]
        assert rule.rival(best.row) is not None
        assert all(rule.rival(row) is not None for row in easier)


def test_no_speed_of_a_retired_model_is_easier_to_buy_than_the_model() -> None:
    restricted = {"old": "retired", "few": "limited"}
    assert (
        availability(Scenario("old", 1.5, 1), restricted)
        == availability(Scenario("old", 1.0, 1), restricted)
        == "retired"
    )
    assert availability(Scenario("few", 1.5, 1), restricted) == "hypothetical"


def test_both_says_what_each_lever_gains() -> None:
    """6 of 40 items at a time: 7 · 10 s, all at once 10 s; on the fast tier, which costs twice as much, 5 s."""
    text = """workflow: test
model: m
models:
  m: {ttft: 0s, output_speed: 50, jitter: 0, price: {input: 0, output: 100}}
  fast: {based_on: m, speed: 2x, price_multiplier: 2}
crews: {team: {agents: 6}}
steps:
  a: {for_each: 40, crew: team, llm: {output: 500}}
"""
    workflow = planner.load_workflow(text)
    advice = planner.compare(workflow, models=["m", "fast"], samples=2).advice
    assert advice.verdict == "both"
    agents, tier = advice.levers
    assert [agents.saved, agents.usd] == pytest.approx([60, 0], abs=1e-5)
    assert [tier.saved, tier.usd] == pytest.approx([5, 2], abs=1e-5)
    assert planner.compare(workflow, speeds=[1], samples=2).advice.levers == ()
