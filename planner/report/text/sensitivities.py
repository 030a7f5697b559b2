"""Terminal text of sensitivities: the estimate to get right first, and tornado charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.planning.sensitivity.dice import Influence
from planner.planning.sensitivity.tornado import Sensitivity
from planner.planning.sensitivity.variations import Effect
from planner.report.text.columns import left, shorten
from planner.report.text.layout import WIDTH, note_lines, width, wrap, wrap_all
from planner.report.wording import quantities
from planner.report.wording.screen_notes import additions, screen_notes
from planner.report.wording.sensitivities import (
    DECIDED,
    chart_title,
    dice_answer,
    dice_heading,
    driver_name,
    effect_cells,
    effect_columns,
    effect_name,
    sensitivity_answer,
    sensitivity_heading,
    shown,
    split_effects,
    swing,
)

LINES = 25
"""Most lines of the text, unless everything is requested."""

_LEAST_ROWS = 4
_BAR, _TIME, _COST = 18, 10, 11


def sensitivity_text(sensitivity: Sensitivity, *, everything: bool = False, more: str = "--all") -> str:
    """Return a sensitivity analysis as text: the estimate to get right first, a tornado chart, and notes.

    everything : whether to show the rows and notes that are otherwise left out
    more : option or call that shows the rest
    """
    head = [*wrap_all(sensitivity_heading(sensitivity)), *wrap_all(sensitivity_answer(sensitivity))]
    numbers = len(sensitivity.estimates)
    if everything:
        foot = ["", *note_lines(sensitivity.notes)] if sensitivity.notes else []
        return "\n".join([*head, *_chart(sensitivity, *split_effects(sensitivity)), *foot]) + "\n"
    notes = note_lines(screen_notes(sensitivity.notes))
    estimates, decided = _shown(sensitivity, max(_LEAST_ROWS, LINES - len(head) - len(notes) - 6))
    hidden = f"all {numbers:,} numbers of the file" if numbers > len(estimates) + len(decided) else ""
    return "\n".join([*head, *_chart(sensitivity, estimates, decided), *_foot(sensitivity, notes, more, hidden)]) + "\n"


def _shown(sensitivity: Sensitivity, most: int) -> tuple[Sequence[Effect], Sequence[Effect]]:
    """Return the effects to show without the option `--all`: first those of estimates, then those of decided numbers.

    At least a third of the `most` rows is for decided numbers, if there are enough of them.
    """
    estimates, decided = (
        [effect for effect in effects if shown(sensitivity, effect)] for effects in split_effects(sensitivity)
    )
    room = min(len(decided), max(1, most // 3, most - len(estimates)))
    return estimates[: most - room], decided[:room]


def _chart(sensitivity: Sensitivity, estimates: Sequence[Effect], decided: Sequence[Effect]) -> Iterator[str]:
    """Yield the lines of a tornado chart of effects.

    decided : effects of numbers that are counted or decided before the run. They come last
    """
    ends = [end.p90 for effect in (*estimates, *decided) for end in (effect.low, effect.high) if end.p90 is not None]
    if estimates or decided:
        least, top = min((*ends, sensitivity.seconds.p90)), max((*ends, sensitivity.seconds.p90))
        yield ""
        yield from wrap(chart_title(sensitivity))
        less, more, cost = effect_columns(sensitivity)
        yield from _rows("", " " * _BAR, less, more, cost)
        for effect in estimates:
            yield from _effect_lines(sensitivity, effect, least, top)
        if decided:
            yield DECIDED
        for effect in decided:
            yield from _effect_lines(sensitivity, effect, least, top)


def _rows(name: str, bar: str, low: str, high: str, cost: str) -> list[str]:
    """Return the lines of one row. On a narrow terminal, the name is on a separate line, and the bar is left out."""
    if width() < WIDTH:
        return [*wrap(name), f"{low:>{_TIME}}{high:>{_TIME}}{cost:>{_COST}}".rstrip()]
    room = WIDTH - _BAR - 2 * _TIME - _COST
    return [f"{left(shorten(name, room - 1), room)}{bar}{low:>{_TIME}}{high:>{_TIME}}{cost:>{_COST}}".rstrip()]


def _effect_lines(sensitivity: Sensitivity, effect: Effect, least: float, most: float) -> list[str]:
    """Return the lines of one number in the tornado chart.

    least : time at the left end of the chart, in seconds
    most : time at the right end of the chart, in seconds
    """
    ends = [sensitivity.seconds.p90 if end.p90 is None else end.p90 for end in (effect.low, effect.high)]
    bar = _bars(ends, sensitivity.seconds.p90, least, most, _BAR)
    return _rows(effect_name(effect), bar, *effect_cells(sensitivity, effect))


def _bars(ends: Sequence[float], middle: float, least: float, most: float, columns: int) -> str:
    """Return two bars that begin at `middle`: a light bar to the first end, and a dark bar to the second end.

    least, most : values at the left and at the right end of the chart
    """
    scale = (columns - 1) / (most - least) if most > least else 0.0

    def column(value: float) -> int:
        return round((min(max(value, least), most) - least) * scale)

    low, high, centre = column(ends[0]), column(ends[1]), column(middle)
    glyphs = [" "] * columns
    for end, glyph in ((low, "░"), (high, "█")):
        for position in range(min(end, centre), max(end, centre) + 1):
            glyphs[position] = glyph
    glyphs[centre] = "│"
    return "".join(glyphs)


# The influence of random draws

_DRIVER, _SWING = 32, 24


def dice_text(sensitivity: Sensitivity, *, everything: bool = False, more: str = "--all") -> str:
    """Return the influence of random draws as text: the largest, a tornado chart of swings, and notes.

    everything : whether to show the rows and notes that are otherwise left out
    more : option that shows the rest
    """
    head = [*wrap_all(dice_heading(sensitivity)), *wrap_all(dice_answer(sensitivity))]
    drivers = len(sensitivity.drivers)
    if everything:
        foot = ["", *note_lines(sensitivity.notes)] if sensitivity.notes else []
        return "\n".join([*head, *_tornado(sensitivity, sensitivity.drivers), *foot]) + "\n"
    notes = note_lines(screen_notes(sensitivity.notes))
    told = [influence for influence in sensitivity.drivers if influence.told]
    rows = told[: max(_LEAST_ROWS, LINES - len(head) - len(notes) - 8)]
    chart = list(_tornado(sensitivity, rows))
    hidden = f"all {drivers:,} random draws" if drivers > len(rows) else ""
    return "\n".join([*head, *chart, *_foot(sensitivity, notes, more, hidden)]) + "\n"


def _foot(sensitivity: Sensitivity, notes: Sequence[str], more: str, hidden: str) -> list[str]:
    """Return the lines below a chart: notes, and what `more` shows.

    notes : lines of the notes that are shown
    hidden : rows that `more` shows, such as ``all 9 random draws``; empty if no row is hidden
    """
    shows = additions([hidden] if hidden else [], sensitivity.notes, screen_notes(sensitivity.notes))
    pointer = wrap(f"{more} shows {shows}.") if shows else []
    return ["", *notes, *pointer] if notes or pointer else []


def _tornado(sensitivity: Sensitivity, influences: Sequence[Influence]) -> Iterator[str]:
    """Yield the lines of a tornado chart with a bar for each of these influences."""
    if not influences:
        return
    least = min(min(influence.p90_low, influence.p90_high) for influence in influences)
    most = max(max(influence.p90_low, influence.p90_high) for influence in influences)
    yield ""
    yield from wrap("p90 in the fifth of the runs with the lowest (░) and the highest draws (█)")
    name, bar = _tornado_widths()
    if bar < _SWING:
        yield from wrap(f"Bars go from {quantities.seconds(least)} to {quantities.seconds(most)}.")
    ends = f"{quantities.seconds(least):<{bar - 9}}{quantities.seconds(most):>9}" if bar == _SWING else " " * bar
    yield f"{'':<{name}}{ends}{'swing':>11}{'share':>7}"
    for before, influence in zip((None, *influences), influences, strict=False):
        if not influence.told and (before is None or before.told):
            yield "Within the error of the simulation:"
        yield _line(influence, least, most, sensitivity.seconds.p90)
    error = max(influence.swing_error for influence in influences)
    yield from wrap(f"share: of the variance of the time. Swings are accurate to ± {quantities.seconds(error)} (95%).")


def _tornado_widths() -> tuple[int, int]:
    """Return two widths in the tornado chart, in columns: the width of names and the width of bars."""
    name = max(12, min(_DRIVER, width() - _SWING - 18))
    return name, min(_SWING, width() - name - 18)


def _line(influence: Influence, least: float, most: float, p90: float) -> str:
    """Return the line of one random quantity in the tornado chart.

    least : time at the left end of the chart, in seconds
    most : time at the right end of the chart, in seconds
    p90 : p90 of the completion time, in seconds; the line has a mark at this time
    """
    room, bar = _tornado_widths()
    bars = _bars((influence.p90_low, influence.p90_high), p90, least, most, bar)
    name = left(shorten(driver_name(influence.driver), room - 1), room)
    return f"{name}{bars}{swing(influence):>11}{quantities.percent(influence.share):>7}"
