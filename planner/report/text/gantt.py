"""Gantt chart of the typical sample of a forecast, one row for each step and kind of work. The chart has no colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from planner.errors import printable
from planner.expansion.graph.task_graph import LIMITED
from planner.measures.typical_run import SLOTS, StepSpan, Stretch
from planner.planning.forecast_result import Forecast
from planner.report.text.columns import left, shorten_left
from planner.report.text.layout import WIDTH, width, wrap
from planner.report.wording import quantities

CRITICAL, WAITING = "█", "·"
SHADES = "░▒▓"
_LABEL, _NARROW_LABEL, _MOST_ROWS, _MOST_NAMED = 21, 12, 25, 10
_TICK_COLUMNS = 9
"""Least distance between two ticks of the axis, in columns."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_ROUND_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def gantt(forecast: Forecast) -> str:
    """Return the Gantt chart and the critical path of a typical sample as text.

    The typical sample is the sample whose completion time is nearest to the p50.
    """
    typical = forecast.typical
    rows = _longest(typical.rows)
    label, slots, most = _columns(rows)
    lines = [
        "",
        f"A typical sample, number {typical.sample:,}: {quantities.seconds(typical.seconds)}",
        f"{CRITICAL} on the critical path   {SHADES} running: up to 1/3, 2/3, all of its max at once",
    ]
    if typical.seconds and rows:
        lines.append(f"{'':<{label}} {_axis(typical.seconds, slots):<{slots}}{'max':>{most + 1}}")
        lines += [
            f"{left(shorten_left(_name(row.step, row.kind), label), label)} {_cells(row, slots)} "
            f"{quantities.token_count(row.most):>{most}}"
            for row in rows
        ]
        if any(typical.waiting):
            cells = "".join(WAITING if any(shares) else " " for shares in _by_column(typical.waiting, slots))
            lines.append(f"{f'(waits for {_awaited(forecast)})':<{label}} {cells}".rstrip())
    if len(rows) < len(typical.rows):
        lines.append(f"… {len(typical.rows) - len(rows):,} more rows, which take less time")
    busy = {(row.step, row.kind) for row in typical.rows}
    idle = [_name(step.step, step.kind) for step in forecast.steps if (step.step, step.kind) not in busy]
    lines += wrap(f"No time in this sample: {_first(idle)}.") if idle else []
    parts = [_stretch(stretch, _awaited(forecast)) for stretch in typical.path]
    if parts:
        lines += wrap(f"Critical path: {_first(parts, len(typical.path) + typical.left_out, ', then ')}.")
    return "\n".join(lines) + "\n"


def _name(step: str, kind: str) -> str:
    """Return the name of a row: `fix` for the step `fix`, or `fix: merge` for the merges of this step."""
    return printable(step if kind in ("llm", "agent", "tool", "human") else f"{step}: {kind}")


def _first(parts: list[str], count: int | None = None, separator: str = ", ") -> str:
    """Join the first `_MOST_NAMED` parts. If more parts exist, add their number, such as `3 more`.

    count : total number of parts, which may exceed the length of `parts`; None: the length of `parts`
    """
    count = len(parts) if count is None else count
    more = [f"{count - _MOST_NAMED:,} more"] if count > _MOST_NAMED else []
    return separator.join(parts[:_MOST_NAMED] + more)


def _awaited(forecast: Forecast) -> str:
    """Return what the critical path waits for, as text: `an agent` or `its turn`."""
    return "its turn" if any(crew.name == LIMITED for crew in forecast.crews) else "an agent"


def _stretch(stretch: Stretch, awaited: str) -> str:
    if stretch.kind == "waiting":
        subject = f"{printable(stretch.step)} waits" if stretch.step else "a wait"
        return f"{subject} for {awaited} ({quantities.seconds(stretch.seconds)})"
    times = f"{stretch.occurrences:,} x " if stretch.occurrences > 1 else ""
    return f"{times}{_name(stretch.step, stretch.kind)} ({quantities.seconds(stretch.seconds)})"


def _longest(rows: tuple[StepSpan, ...]) -> list[StepSpan]:
    """Return the `_MOST_ROWS` rows that are longest on the critical path, in their old order.

    If two rows are equally long on the critical path, the row with more work is preferred.
    """
    ranked = sorted(rows, key=lambda row: (sum(row.critical), sum(row.at_once)), reverse=True)[:_MOST_ROWS]
    return [row for row in rows if row in ranked]


def _columns(rows: Sequence[StepSpan]) -> tuple[int, int, int]:
    """Return the widths of the chart's three parts, in characters: labels, time axis, and numbers under `max`.

    The time axis normally has one column for each of `SLOTS` slots of time. On a narrow terminal, it has fewer columns,
    and each column shows several consecutive slots.
    """
    most = max((len(quantities.token_count(row.most)) for row in rows), default=1)
    most = max(most, 3)
    label = _LABEL if width() == WIDTH else max(_NARROW_LABEL, min(_LABEL, width() - SLOTS - most - 2))
    room = SLOTS if width() == WIDTH else width() - label - most - 2
    together = -(-SLOTS // room)
    return label, -(-SLOTS // together), most


def _by_column(values: Sequence[Any], columns: int) -> list[Sequence[Any]]:
    """Split `values` into groups of consecutive values: one group for each column of the chart.

    values : one value for each slot of time
    columns : number of columns of the chart
    """
    together = -(-len(values) // columns)
    return [values[first : first + together] for first in range(0, len(values), together)]


def _cells(row: StepSpan, slots: int) -> str:
    """Return the bar of a row of the chart, with one character for each column.

    The character `CRITICAL` means that the row is on the critical path. A shade from `SHADES` shows how many executions
    run simultaneously. A space means that nothing runs.
    """
    return "".join(
        CRITICAL if any(critical) else SHADES[min(2, int(3 * max(running) / row.most))] if any(running) else " "
        for running, critical in zip(_by_column(row.at_once, slots), _by_column(row.critical, slots), strict=True)
    )


def _axis(seconds: float, slots: int) -> str:
    """Return the time axis of the chart. The axis has ticks at round times. A label follows each tick.

    slots : number of columns of the chart
    """
    step = next(_round_times(seconds * _TICK_COLUMNS / slots))
    line = ""
    number = 0
    while step * number < seconds:
        column = int(step * number / seconds * slots)
        label = f"|{_time_label(step * number)}"
        if column + len(label) <= slots:
            line = f"{line:<{column}}{label}"
        number += 1
    return line


def _round_times(least: float) -> Iterator[float]:
    """Yield round times such as 1, 2, 5 and 10 seconds, in rising order. The first time is at least `least`."""
    if least < 1:
        yield from (value for power in range(-9, 0) for digit in (1, 2, 5) if (value := digit * 10.0**power) >= least)
    yield from (float(value) for value in _ROUND_SECONDS if value >= least)
    yield from (
        86400.0 * digit * 10**power for power in range(9) for digit in (1, 2, 5) if 86400.0 * digit * 10**power >= least
    )


def _time_label(seconds: float) -> str:
    """Return a round time as text: `1h`, `1h30min`, `0.2s`, `5ms`. Units with the value 0 are omitted."""
    if not seconds:
        return "0"
    if seconds < 0.1:
        return f"{1000 * seconds:.6g}ms"
    if seconds < 1 or seconds != round(seconds):
        return f"{seconds:.6g}s"
    label, rest = "", round(seconds)
    for size, unit in _UNITS:
        if rest >= size:
            label += f"{rest // size}{unit}"
            rest %= size
    return label
