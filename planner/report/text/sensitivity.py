"""Text of a sensitivity: the estimate to measure first, and a tornado chart."""

from __future__ import annotations

from collections.abc import Iterator

from planner.planning.sensitivity.tornado import Influence, Sensitivity
from planner.report.text.layout import note_lines, wrap, wrap_all
from planner.report.wording import quantities
from planner.report.wording.sensitivities import driver_name, sensitivity_answer, sensitivity_heading, swing

_MOST_DRIVERS = 15
_NAME, _BAR = 32, 24


def sensitivity_text(sensitivity: Sensitivity) -> str:
    """The estimate to measure first, the tornado chart, and the notes."""
    lines = [
        *wrap_all(sensitivity_heading(sensitivity)),
        "",
        *wrap_all(sensitivity_answer(sensitivity)),
        "",
        *_tornado(sensitivity),
    ]
    lines += ["", *note_lines(sensitivity.notes)] if sensitivity.notes else []
    return "\n".join(lines) + "\n"


def _tornado(sensitivity: Sensitivity) -> Iterator[str]:
    """A bar for each significant driver, the largest first."""
    influences = [influence for influence in sensitivity.drivers if influence.told][:_MOST_DRIVERS]
    if not influences:
        return
    least = min(min(influence.p90_low, influence.p90_high) for influence in influences)
    most = max(max(influence.p90_low, influence.p90_high) for influence in influences)
    yield "p90 in the lowest fifth of each (░) and in its highest (█); share of variance"
    yield f"{'':<{_NAME}}{quantities.seconds(least):<{_BAR - 9}}{quantities.seconds(most):>9}{'swing':>11}{'share':>7}"
    for influence in influences:
        yield _line(influence, least, most, sensitivity.seconds.p90)
    others = len(sensitivity.drivers) - len(influences)
    error = max(influence.swing_error for influence in influences)
    yield f"Swings are known to ± {quantities.seconds(error)} or better (95%)."
    if others:
        yield from wrap(f"{others} more cannot be told from nothing, or are less than these.")


def _line(influence: Influence, least: float, most: float, p90: float) -> str:
    """The line of a driver, whose bar goes from `least` to `most` seconds with a mark at `p90`."""
    scale = (_BAR - 1) / (most - least) if most > least else 0.0

    def column(value: float) -> int:
        return round((min(max(value, least), most) - least) * scale)

    low, high, centre = column(influence.p90_low), column(influence.p90_high), column(p90)
    glyphs = [" "] * _BAR
    for position in _between(low, centre):
        glyphs[position] = "░"
    for position in _between(centre, high):
        glyphs[position] = "█"
    glyphs[centre] = "│"
    name = driver_name(influence.driver)
    name = name if len(name) < _NAME else f"{name[: _NAME - 2]}…"
    return f"{name:<{_NAME}}{''.join(glyphs)}{swing(influence):>11}{quantities.percent(influence.share):>7}"


def _between(column: int, other: int) -> range:
    """Columns from one to the other, both included, in rising order."""
    return range(min(column, other), max(column, other) + 1)
