"""Sentences and table rows about the steps to put on a fast tier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.errors import printable
from planner.planning.tier.assignments import EXHAUSTIVE
from planner.planning.tier.search import AssignmentResult, TierResult
from planner.report.wording import quantities

ALONE = "Each fast step by itself, against all standard (paired differences)"
"""Title of the table of single steps."""


def tier_heading(result: TierResult) -> Iterator[str]:
    """Yield the heading of a `TierResult` as lines of text: samples, tiers, budget, and number of tried choices."""
    yield f"{printable(result.workflow)}: {quantities.samples(result.samples)}, seed {result.seed}"
    restriction = result.restricted.get(result.fast_model)
    fast = printable(result.fast_model) + (f" ({restriction})" if restriction else "")
    yield (
        f"Standard tier: {printable(result.standard_model)}. Fast tier: {fast}. Budget: p50 of the cost within "
        f"{quantities.usd(result.budget)}."
    )
    few = len(result.steps) <= EXHAUSTIVE
    partly = f"of {2 ** len(result.steps):,}" if few else "by forward and backward selection"
    extent = "all" if result.exhaustive else partly
    rough = f" on {quantities.samples(result.search_samples)}" if result.search_samples < result.samples else ""
    steps = f"{len(result.steps)} step{'s' * (len(result.steps) != 1)}"
    yield f"{result.searched:,} choices of {steps} were tried ({extent}){rough}."


def tier_answer(result: TierResult) -> Iterator[str]:
    """Yield sentences on the steps to put on the fast tier, and on the saved time."""
    best, chosen = result.best, result.chosen
    if best is None or chosen is None:
        least = min((result.standard, result.fast), key=lambda choice: choice.usd.p50)
        name = "all standard" if least is result.standard else "all fast"
        yield f"No choice is known to be within the budget: {name} costs {quantities.usd(least.usd.p50)}."
        return
    yield f"Fast: {_names(chosen.steps)}."
    if chosen.steps:
        standard = _compared(chosen, "all standard", fast=False)
        if chosen.steps == result.fast.steps:
            yield f"That is all fast: {standard}."
        else:
            yield f"That is {standard}; {_compared(chosen, 'all fast', fast=True)}."
    elif best is not chosen:
        yield "Nothing that was tried within the budget gains 1%."
    elif result.fast.to_standard.seconds >= 0:
        yield "No step on the fast tier gains any time."
    if best is not chosen:
        yield (
            f"Quickest, by under 1%: {_names(best.steps)}, {quantities.seconds(best.seconds.p50)} for "
            f"{quantities.usd(best.usd.p50)} instead of {quantities.usd(chosen.usd.p50)}."
        )


def _names(steps: tuple[str, ...]) -> str:
    return ", ".join(map(printable, steps)) or "none"


def _compared(choice: AssignmentResult, other: str, fast: bool) -> str:
    """Return a phrase such as `12min05s sooner than all standard (95%: 11min to 13min) for $3.10 more`.

    other : name of the choice with which `choice` is compared
    fast : whether `other` puts all steps on the fast tier; if not, `other` puts all steps on the standard tier
    """
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

    p50, interval : median completion time, and its 95% interval
    cost : median cost
    over_budget : whether the cost may be over the budget
    """

    name: str
    p50: str
    interval: str
    cost: str
    over_budget: bool


def choice_cells(result: TierResult) -> list[ChoiceCells]:
    """Return the table cells of three choices: all steps standard, all steps fast, and the recommended choice.

    The quickest choice within the budget is a fourth choice if it differs from the recommended choice.
    """
    choices = [("all standard", result.standard), ("all fast", result.fast)]
    choices += [("chosen", result.chosen)] if result.chosen else []
    choices += [("quickest", result.best)] if result.best and result.thrifty else []
    return [
        ChoiceCells(
            name,
            quantities.seconds(choice.seconds.p50),
            quantities.between(choice.seconds.p50_low, choice.seconds.p50_high),
            quantities.usd(choice.usd.p50),
            not choice.fits,
        )
        for name, choice in choices
    ]


class StepCells(NamedTuple):
    """Table cells of a choice with a single step on the fast tier.

    seconds, interval, cost : differences from the choice with all steps on the standard tier
    rate : seconds that are saved per US dollar
    chosen : `yes` if the recommended choice also puts this step on the fast tier
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
