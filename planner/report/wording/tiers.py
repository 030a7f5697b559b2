"""Sentences and table rows about the steps to put on a fast tier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.errors import printable
from planner.planning.target.goal import interval_of, percentile_of
from planner.planning.tier.assignments import EXHAUSTIVE
from planner.planning.tier.search import AssignmentResult, TierResult
from planner.report.wording import quantities
from planner.report.wording.targets import percentile, within

ALONE = "Each fast step by itself, against all standard (paired differences)"
"""Title of the table of single steps."""


def tier_question(result: TierResult) -> str:
    """Return the title: the question that the result answers."""
    limits = result.limits
    fast = printable(result.fast_model)
    restriction = result.restricted.get(result.fast_model)
    fast += f" ({restriction})" if restriction else ""
    best = "Quickest" if limits.deadline is None else "Cheapest"
    within_ = within(limits.percentile, limits.deadline, limits.budget)
    return f"{printable(result.workflow)}: which steps on {fast}? {best} {within_}."


def tier_heading(result: TierResult) -> Iterator[str]:
    """Yield lines about the tiers, the simulation and the number of tried choices."""
    yield f"Standard tier: {printable(result.standard_model)}. Fast tier: {printable(result.fast_model)}."
    few = len(result.steps) <= EXHAUSTIVE
    partly = f"of {2 ** len(result.steps):,}" if few else "by forward and backward selection"
    extent = "all" if result.exhaustive else partly
    rough = f" on {quantities.samples(result.search_samples)}" if result.search_samples < result.samples else ""
    steps = f"{len(result.steps)} step{'s' * (len(result.steps) != 1)}"
    yield f"{result.searched:,} choices of {steps} were tried ({extent}){rough}."
    yield f"{quantities.samples(result.samples)}, seed {result.seed}."


def tier_answer(result: TierResult) -> Iterator[str]:
    """Yield sentences on the steps to put on the fast tier, and on the saved time."""
    best, chosen = result.best, result.chosen
    if best is None or chosen is None:
        yield from _not_met(result)
        return
    yield f"{_verdict(result, chosen)} {_outcome(result, chosen)}."
    if chosen.steps:
        standard = _compared(result, chosen, fast=False)
        if chosen.steps == result.fast.steps:
            yield f"It ends {standard}."
        else:
            yield f"It ends {standard}; {_compared(result, chosen, fast=True)}."
    elif best is not chosen:
        yield "Nothing that was tried within the budget gains 1%."
    elif result.fast.to_standard.seconds >= 0:
        yield "No step on the fast tier gains any time."
    if best is not chosen:
        yield f"Quickest, by under 1%: {_names(best.steps)}; {_outcome(result, best)}."
    yield from _ends(result, chosen)


def _verdict(result: TierResult, chosen: AssignmentResult) -> str:
    if not chosen.steps:
        return "NONE:"
    return "ALL:" if chosen.steps == result.fast.steps else f"FAST: {_names(chosen.steps)}."


def _not_met(result: TierResult) -> Iterator[str]:
    limits, closest = result.limits, result.closest
    assert closest is not None
    sure = "NOT MET by any" if "misses" in (closest.in_time, closest.in_budget) else "NOT SURE of any"
    yield f"{sure} of {result.searched:,} choices tried."
    names = f"fast {_names(closest.steps)}"
    if closest.steps in (result.standard.steps, result.fast.steps):
        names = _all_on(result, bool(closest.steps))
    yield f"Closest: {names}; {_outcome(result, closest)}."
    changes = []
    late, dear = (interval_of(values, limits.percentile)[1] for values in (closest.seconds, closest.usd))
    if closest.in_time != "meets" and late is not None and closest.in_budget != "misses":
        changes.append(f"a deadline of about {quantities.seconds(late)}")
    if closest.in_budget != "meets" and dear is not None and closest.in_time != "misses":
        changes.append(f"a budget of about {quantities.usd(dear)}")
    if changes:
        yield f"It would be met with {' or '.join(changes)}."
    yield from _ends(result, closest)


def _ends(result: TierResult, said: AssignmentResult) -> Iterator[str]:
    """Yield sentences on the choices with all steps on one tier. Leave out `said`, which is reported already."""
    for fast, choice in ((False, result.standard), (True, result.fast)):
        if choice.steps != said.steps:
            yield f"A{_all_on(result, fast)[1:]}: {_outcome(result, choice)}."


def _all_on(result: TierResult, fast: bool) -> str:
    return f"all on {printable(result.fast_model if fast else result.standard_model)}"


def _outcome(result: TierResult, choice: AssignmentResult) -> str:
    """Return the time, the chance and the cost of a choice as text.

    For example, `p90 18min05s, in time in 97.1% of runs, $3.20 on average`.
    """
    limits, q = result.limits, result.limits.percentile
    time = percentile_of(choice.seconds, q)
    text = f"{percentile(q)} {quantities.seconds(time)}"
    if limits.deadline is not None and choice.in_time == "misses":
        text += f", {quantities.seconds(time - limits.deadline)} too late"
    elif choice.chance is not None:
        text += f", in time in {quantities.share(choice.chance.chance)} of runs"
    if limits.budget is None:
        return f"{text}, {quantities.usd(choice.usd.mean)} on average"
    over = {"meets": "", "limit": ", about at the budget", "misses": ", over the budget"}[choice.in_budget]
    return f"{text}, {percentile(q)} of the cost {quantities.usd(percentile_of(choice.usd, q))}{over}"


def _names(steps: tuple[str, ...]) -> str:
    return ", ".join(map(printable, steps)) or "none"


def _compared(result: TierResult, choice: AssignmentResult, fast: bool) -> str:
    """Return a phrase such as `12min05s sooner than all on sonnet (95%: 11min to 13min) for $3.10 more`.

    fast : whether `choice` is compared with all steps on the fast tier; if not, with all on the standard tier
    """
    other = _all_on(result, fast)
    difference = choice.to_fast if fast else choice.to_standard
    low, high = difference.seconds_low, difference.seconds_high
    if low <= 0 <= high:
        time = f"about as quick as {other}"
    else:
        ends = sorted((abs(low), abs(high)))
        word = "sooner" if difference.seconds < 0 else "later"
        interval = f" (95%: {quantities.seconds(ends[0])} to {quantities.seconds(ends[1])})" if low != high else ""
        time = f"{quantities.seconds(abs(difference.seconds))} {word} than {other}{interval}"
    more = "more" if difference.usd > 0 else "less"
    if not difference.usd:
        return f"{time} at the same cost"
    return f"{time} for {quantities.usd(abs(difference.usd))} {more}"


class ChoiceCells(NamedTuple):
    """Table cells of a choice of steps for the fast tier.

    time, interval : percentile of the completion time, and its 95% interval
    cost : the same percentile of the cost
    mark : the text `late` if the time may be over the deadline; `over` if only the cost may be over the budget;
        otherwise empty
    """

    name: str
    time: str
    interval: str
    cost: str
    mark: str


def choice_cells(result: TierResult) -> list[ChoiceCells]:
    """Return the table cells of three choices: all steps standard, all steps fast, and the recommended choice.

    If the quickest choice within the budget is not the recommended one, it is a fourth choice.
    """
    choices = [("all standard", result.standard), ("all fast", result.fast)]
    choices += [("chosen", result.chosen)] if result.chosen else []
    choices += [("quickest", result.best)] if result.best and result.thrifty else []
    q = result.limits.percentile
    return [
        ChoiceCells(
            name,
            quantities.seconds(percentile_of(choice.seconds, q)),
            quantities.between(*interval_of(choice.seconds, q)),
            quantities.usd(percentile_of(choice.usd, q)),
            "late" if choice.in_time != "meets" else "over" if choice.in_budget != "meets" else "",
        )
        for name, choice in choices
    ]


class StepCells(NamedTuple):
    """Table cells of a choice with a single step on the fast tier.

    seconds, interval, cost : differences from the choice with all steps on the standard tier
    rate : seconds that are saved per US dollar
    chosen : the text `yes` if the recommended choice also puts this step on the fast tier; otherwise an empty text
    """

    step: str
    seconds: str
    interval: str
    cost: str
    rate: str
    chosen: str


def step_cells(choice: AssignmentResult, chosen: AssignmentResult | None) -> StepCells:
    """Return the table cells of a choice with a single step on the fast tier.

    chosen : the recommended choice; None: no choice is recommended
    """
    (step,), difference = choice.steps, choice.to_standard
    low, high = difference.seconds_low, difference.seconds_high
    interval = "" if low == high else f"{_signed_seconds(low)} to {_signed_seconds(high)}"
    worth = 0.0 - difference.seconds / difference.usd if difference.usd > 0 else 0.0  # 0.0 - x is never -0
    rate = f"{worth:.3g}" if difference.usd > 0 else ""
    rate = rate if len(rate) < 9 else f"{worth:.1e}"
    cost = f"{'-' if difference.usd < 0 else '+'}{quantities.usd(abs(difference.usd))}"
    mark = "yes" if chosen is not None and step in chosen.steps else ""
    return StepCells(printable(step), _signed_seconds(difference.seconds), interval, cost, rate, mark)


def _signed_seconds(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{quantities.seconds(abs(value))}" if value else "0s"
