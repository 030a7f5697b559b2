"""Which steps to put on a fast tier, as text of 80 columns: the answer, what it gains, what each step does alone."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import printable
from planner.planning.tier.assignments import EXHAUSTIVE
from planner.planning.tier.search import Choice, TierResult
from planner.report.text.comparison import wrapped
from planner.report.wording import quantities
from planner.report.wording.notes import worded

ALONE = "Each fast step by itself, against all standard (paired differences)"
_LABEL = 20


def tier_text(found: TierResult) -> str:
    """The answer first, then it against both ends, then each step by itself, then notes."""
    lines = [part for line in heading(found) for part in wrapped(line)]
    lines += ["", *(part for line in answer(found) for part in wrapped(line)), ""]
    lines += [f"{'':<{_LABEL}}{'p50':>10}{'95%':>23}{'cost p50':>10}"]
    lines += [_row(name, choice) for name, choice in shown(found)]
    lines += ["", ALONE]
    lines += [f"{'':<{_LABEL}}{'p50':>10}{'95%':>23}{'cost':>10}{'s per $':>9}  chosen"]
    lines += [_alone(one, found.chosen) for one in by_worth(found)]
    lines += [""] if found.notes else []
    lines += [line for note in worded(found.notes) for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def heading(found: TierResult) -> Iterator[str]:
    """What was simulated, the tiers and the budget."""
    yield f"{printable(found.workflow)}: {quantities.samples(found.samples)}, seed {found.seed}"
    where = found.restricted.get(found.fast_model)
    fast = printable(found.fast_model) + (f" ({where})" if where else "")
    yield (
        f"Standard tier: {printable(found.standard_model)}. Fast tier: {fast}. Budget: p50 of the cost within "
        f"{quantities.usd(found.budget)}."
    )
    chosen = f"of {2 ** len(found.steps):,}" if len(found.steps) <= EXHAUSTIVE else "by forward and backward selection"
    how = "all" if found.exhaustive else chosen
    rough = f" on {quantities.samples(found.search_samples)}" if found.search_samples < found.samples else ""
    steps = f"{len(found.steps)} step{'s' * (len(found.steps) != 1)}"
    yield f"{found.searched:,} choices of {steps} were tried ({how}){rough}."


def answer(found: TierResult) -> Iterator[str]:
    """Which steps, and what that gains."""
    best, chosen = found.best, found.chosen
    if best is None or chosen is None:
        least = min((found.standard, found.fast), key=lambda one: one.usd.p50)
        yield f"No choice is known to be within the budget: {_costs(found, least)}."
        return
    yield f"Fast: {_names(chosen.steps)}."
    if chosen.steps:
        standard = _against(chosen, "all standard", fast=False)
        if chosen.steps == found.fast.steps:
            yield f"That is all fast: {standard}."
        else:
            yield f"That is {standard}; {_against(chosen, 'all fast', fast=True)}."
    elif best is not chosen:
        yield "Nothing that was tried within the budget gains 1%."
    elif found.fast.to_standard.seconds >= 0:
        yield "No step on the fast tier gains any time."
    if best is not chosen:
        yield (
            f"Quickest, by under 1%: {_names(best.steps)}, {quantities.seconds(best.seconds.p50)} for "
            f"{quantities.usd(best.usd.p50)} instead of {quantities.usd(chosen.usd.p50)}."
        )


def _names(steps: tuple[str, ...]) -> str:
    return ", ".join(map(printable, steps)) or "none"


def _costs(found: TierResult, one: Choice) -> str:
    name = "all standard" if one is found.standard else "all fast"
    return f"{name} costs {quantities.usd(one.usd.p50)}"


def _against(one: Choice, other: str, fast: bool) -> str:
    """`12min05s sooner than all standard (95%: 11min to 13min) for $3.10 more`."""
    by = one.to_fast if fast else one.to_standard
    low, high = by.seconds_low, by.seconds_high
    if low <= 0 <= high:
        when = f"about as quick as {other}"
    else:
        ends = sorted((abs(low), abs(high)))
        word = "sooner" if by.seconds < 0 else "later"
        sure = f" (95%: {quantities.seconds(ends[0])} to {quantities.seconds(ends[1])})" if low != high else ""
        when = f"{quantities.seconds(abs(by.seconds))} {word} than {other}{sure}"
    more = "more" if by.usd > 0 else "less"
    return f"{when} for {quantities.usd(abs(by.usd))} {more}" if by.usd else f"{when} at the same cost"


def _row(name: str, one: Choice) -> str:
    p50, between, cost = chosen_cells(one)
    cost, _, over = cost.partition(" ")
    return f"{name:<{_LABEL}}{p50:>10}{between:>23}{cost:>10} {over}".rstrip()


def chosen_cells(one: Choice) -> tuple[str, str, str]:
    """p50 of the time, its interval, and p50 of the cost, which may be over the budget."""
    between = quantities.between(one.seconds.p50_low, one.seconds.p50_high)
    return quantities.seconds(one.seconds.p50), between, quantities.usd(one.usd.p50) + ("" if one.fits else " over")


def _alone(one: Choice, chosen: Choice | None) -> str:
    name, less, between, cost, rate, mark = alone_cells(one, chosen)
    name = name if len(name) < _LABEL else f"…{name[2 - _LABEL :]}"
    return f"{name:<{_LABEL}}{less:>10}{between:>23}{cost:>10}{rate:>9}  {mark}".rstrip()


def alone_cells(one: Choice, chosen: Choice | None) -> tuple[str, str, str, str, str, str]:
    """The step, what it gains by itself, between what with 95 %, its cost, seconds per dollar, whether it is chosen."""
    (step,), by = one.steps, one.to_standard
    between = "" if by.seconds_low == by.seconds_high else f"{_signed(by.seconds_low)} to {_signed(by.seconds_high)}"
    worth = 0.0 - by.seconds / by.usd if by.usd > 0 else 0.0  # not -0
    rate = f"{worth:.3g}" if by.usd > 0 else ""
    rate = rate if len(rate) < 9 else f"{worth:.1e}"
    cost = f"{'-' if by.usd < 0 else '+'}{quantities.usd(abs(by.usd))}"
    mark = "yes" if chosen is not None and step in chosen.steps else ""
    return printable(step), _signed(by.seconds), between, cost, rate, mark


def shown(found: TierResult) -> list[tuple[str, Choice]]:
    """Both ends, what is chosen, and what is quickest, by their names."""
    rows = [("all standard", found.standard), ("all fast", found.fast)]
    rows += [("chosen", found.chosen)] if found.chosen else []
    return rows + ([("quickest", found.best)] if found.best and found.thrifty else [])


def by_worth(found: TierResult) -> list[Choice]:
    """Each step by itself, most seconds for a dollar first."""
    return sorted(found.alone, key=_worth)


def _worth(one: Choice) -> tuple[float, str]:
    by = one.to_standard
    return by.seconds / by.usd if by.usd > 0 else by.seconds * 1e12, one.steps[0]


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{quantities.seconds(abs(value))}" if value else "0s"
