"""Sentences about the numbers of a file that decide the completion time, and about random quantities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.errors import printable
from planner.planning.sensitivity.dice import Influence
from planner.planning.sensitivity.drivers import Driver
from planner.planning.sensitivity.tornado import Sensitivity
from planner.planning.sensitivity.variations import Effect, first_to_get_right, significant
from planner.report.wording import quantities
from planner.report.wording.forecasts import planned_phrase

LEAST_SHOWN = 0.01
"""Effects below this share of the p90 are not shown, unless all are requested."""

_PHRASES = {
    ("odds", "success"): "the chance that '{step}' succeeds",
    ("odds", "chance"): "the chance that '{step}' is done",
    ("odds", "repeat.until"): "the chance that a round of '{step}' is accepted",
    ("odds", "retry.chance"): "the chance that an attempt at '{step}' fails",
    ("odds", "conflict.chance"): "the chance of a conflict between two of '{step}'",
    ("odds", "conflict.rework"): "the share of work that a conflict repeats in '{step}'",
    ("odds", "redundancy"): "the share of items that every agent of '{step}' does",
    ("factor", "leaves.after"): "the patience of a person in '{step}'",
    ("factor", "leaves.back"): "the absence of a person from '{step}'",
    ("factor", "retry.wait"): "the wait before a further attempt at '{step}'",
    ("factor", "for_each.count"): "the number of items of '{step}'",
    ("count", "for_each.count"): "the number of items of '{step}'",
    ("count", "repeat.times"): "the number of rounds of '{step}'",
    ("spread", "for_each.size"): "the spread of sizes in '{step}'",
    ("spread", "jitter"): "the jitter of {step}",
    ("spread", "per_step"): "the uncertainty per step",
    ("spread", "overall"): "the overall uncertainty",
}
"""For some measures and keys: the name of the number in a sentence."""


def sensitivity_heading(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the heading of a sensitivity analysis as lines of text: samples, scenario, completion time and cost."""
    return _heading(sensitivity, "which estimate matters?")


def _heading(sensitivity: Sensitivity, question: str) -> Iterator[str]:
    time, point, usd = sensitivity.seconds, sensitivity.scenario, sensitivity.usd
    run = f"{quantities.samples(sensitivity.samples)}, seed {sensitivity.seed}"
    yield f"{printable(sensitivity.workflow)}: {question} ({run})"
    cost = "" if usd is None or not usd.p50 else f", p50 of the cost {quantities.usd(usd.p50)}"
    yield (
        f"Planned: {planned_phrase(sensitivity.sizes, point)}: "
        f"p50 {quantities.seconds(time.p50)}, p90 {quantities.seconds(time.p90)}{cost}"
    )


def sensitivity_answer(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield sentences that name the estimate to get right first, and the next one.

    If no estimate has an effect of at least `LEAST_SHOWN`, the sentence says so.
    """
    if not sensitivity.estimates:
        yield "The file has no number that could be wrong."
        return
    off = _factor(sensitivity)
    known = sum(effect.effect is not None for effect in sensitivity.estimates)
    if not known:
        yield f"Only 0 of {len(sensitivity.estimates):,} numbers of the file were changed."
        return
    if known < len(sensitivity.estimates):
        yield f"Only {known:,} of {len(sensitivity.estimates):,} numbers of the file were changed. Of these:"
    first = first_to_get_right(sensitivity.estimates)
    if first is None or not shown(sensitivity, first):
        least = quantities.percent(LEAST_SHOWN)
        yield f"No estimate has to be exact: off by {off}, none moves the p90 by {least} or more."
        return
    p90 = quantities.seconds(sensitivity.seconds.p90)
    range_, if_off = _range(sensitivity, first), _if_off(first, off)
    yield f"Get right first: {effect_phrase(first)}: p90 {p90} becomes {range_} {if_off}."
    later = sensitivity.estimates[sensitivity.estimates.index(first) + 1 :]
    second = first_to_get_right(later)
    if second is not None and shown(sensitivity, second):
        yield f"Then: {effect_phrase(second)}: {_range(sensitivity, second)}."


def _factor(sensitivity: Sensitivity) -> str:
    return quantities.factor(sensitivity.off or 1.0)


def _if_off(effect: Effect, off: str) -> str:
    subject = {"odds": "if its odds are off by", "spread": "if its spread is off by"}.get(
        effect.measure, "if it is off by"
    )
    return f"{subject} {off}"


def _range(sensitivity: Sensitivity, effect: Effect) -> str:
    """Return the range of the p90 as text, such as `1h21min to 2h40min`."""
    ends = [sensitivity.seconds.p90, *(end for end in (effect.low.p90, effect.high.p90) if end is not None)]
    return f"{quantities.seconds(min(ends))} to {quantities.seconds(max(ends))}"


def shown(sensitivity: Sensitivity, effect: Effect) -> bool:
    """Return whether an effect is significant and large. A large effect is at least the share `LEAST_SHOWN` of p90."""
    return significant(effect) and (effect.effect or 0.0) >= LEAST_SHOWN * sensitivity.seconds.p90


def effect_phrase(effect: Effect) -> str:
    """Return the name of a number in a sentence, with its value: `the time of 'ask' (5min to 20min)`."""
    step = printable(effect.step)
    phrase = _PHRASES.get((effect.measure, effect.key))
    if effect.kind == "choose":
        phrase = "the chance of the branch '{step}'"
    elif effect.kind == "parameter":
        phrase = f"the parameter '{printable(effect.key)}'"
    elif effect.kind == "model" and phrase is None:
        phrase = f"the {_words(effect.key)} of {{step}}"
    return f"{(phrase or f'the {_words(effect.key)} of {_quoted}').format(step=step)} ({printable(effect.estimate)})"


_quoted = "'{step}'"


def _words(key: str) -> str:
    return key.replace(".", " ").replace("_", " ")


def effect_name(effect: Effect) -> str:
    """Return the name of a number in a table: `ticket.person: time 5min to 20min`."""
    step = printable(effect.step)
    place = f"{effect.kind}: " if effect.kind in ("uncertainty", "parameter") else f"{step}: "
    return f"{place}{printable(effect.key)} {printable(effect.estimate)}"


def effect_columns(sensitivity: Sensitivity) -> tuple[str, str, str]:
    """Return the heads of the columns of `effect_cells`."""
    off = _factor(sensitivity)
    return f"{off} less", f"{off} more", "cost"


def effect_cells(sensitivity: Sensitivity, effect: Effect) -> tuple[str, str, str]:
    """Return three cells: p90 for the lower number, p90 for the higher number, change of the cost for both."""
    low, high = ("?" if end.p90 is None else quantities.seconds(end.p90) for end in (effect.low, effect.high))
    return low, high, _costs(sensitivity, effect)


def _costs(sensitivity: Sensitivity, effect: Effect) -> str:
    usd = sensitivity.usd
    ends = [effect.low.usd, effect.high.usd]
    if usd is None or not usd.p50 or None in ends:
        return ""
    changes = [f"{end / usd.p50 - 1:+.0%}" for end in ends if end is not None]
    return "" if set(changes) <= {"+0%", "-0%"} else " ".join(changes)


def split_effects(sensitivity: Sensitivity) -> tuple[Sequence[Effect], Sequence[Effect]]:
    """Return the effects of estimates, and the effects of numbers that are counted or decided before the run."""
    effects = sensitivity.estimates
    return [effect for effect in effects if not effect.decided], [effect for effect in effects if effect.decided]


DECIDED = "Counted or decided before the run:"
"""Title above the rows of numbers that need no estimate."""


def chart_title(sensitivity: Sensitivity) -> str:
    """Return the title of the chart of effects."""
    off = _factor(sensitivity)
    return f"p90 if one number is {off} less (░) or {off} more (█); largest change first"


def dice_heading(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the heading of the influence of random draws as lines of text."""
    return _heading(sensitivity, "which random draws matter?")


def dice_answer(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the sentence that names the random quantity with the widest swing.

    If no quantity has a significant influence, the sentence says so.
    """
    first = next((influence for influence in sensitivity.drivers if influence.told), None)
    if not sensitivity.drivers:
        yield "Nothing in the file is random: every run takes the same time."
        return
    if first is None:
        yield "No random draw moves the completion time by more than the error of the simulation."
        return
    yield (
        f"Chance acts most through {driver_name(first.driver)}: p90 is {quantities.seconds(first.p90_low)} in the "
        f"fifth of the runs with its lowest draws, and {quantities.seconds(first.p90_high)} with its highest."
    )


def driver_name(driver: Driver) -> str:
    """Return the name of a driver: the step, the key and the estimate. A driver is a random quantity."""
    if driver.key == "overall":
        return "overall (error of all estimates)"
    step = f"{printable(driver.step)} ({driver.kind})" if driver.kind != "llm" else printable(driver.step)
    estimate = f" {driver.estimate}" if driver.estimate else ""
    return f"{step}: {driver.key}{estimate}"


def swing(influence: Influence) -> str:
    """Return the swing of a driver as text. The swing is `p90 with high values - p90 with low values`.

    High values are the highest fifth of the driver's values. Low values are the lowest fifth.
    """
    return f"{'-' if influence.swing < 0 else '+'}{quantities.seconds(abs(influence.swing))}"
