"""The typical sample of a forecast as a chart of 80 columns that reads without colour: a row for each step."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import printable
from planner.expansion.graph.task_graph import LIMITED
from planner.measures.typical_run import SLOTS, StepSpan, Stretch
from planner.planning.forecast_result import Forecast
from planner.report.text.comparison import wrapped
from planner.report.wording import quantities

CRITICAL, WAITING = "█", "·"
SHADES = "░▒▓"
_LABEL, _ROWS, _PATH = 21, 25, 10
_APART = 9
"""Columns between two labels of the axis, at least."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def gantt(forecast: Forecast) -> str:
    """What runs when in the sample whose completion time is nearest to the p50, and its critical path."""
    typical = forecast.typical
    kept = _kept(typical.rows)
    most = max((len(quantities.tokens(row.most)) for row in kept), default=1)
    lines = [
        "",
        f"A typical sample, number {typical.sample:,}: {quantities.seconds(typical.seconds)}",
        f"{CRITICAL} on the critical path   {SHADES} running: up to 1/3, 2/3, all of its max at once",
    ]
    if typical.seconds and kept:
        lines.append(f"{'':<{_LABEL}} {_axis(typical.seconds):<{SLOTS}}{'max':>{max(most, 3) + 1}}")
        lines += [
            f"{_label(row):<{_LABEL}} {_cells(row)} {quantities.tokens(row.most):>{max(most, 3)}}" for row in kept
        ]
        if any(typical.waiting):
            cells = "".join(WAITING if share else " " for share in typical.waiting)
            lines.append(f"{f'(waits for {_awaited(forecast)})':<{_LABEL}} {cells}".rstrip())
    if len(kept) < len(typical.rows):
        lines.append(f"… {len(typical.rows) - len(kept):,} more rows, which take less time")
    shown = {(row.step, row.kind) for row in typical.rows}
    idle = [name(step.step, step.kind) for step in forecast.steps if (step.step, step.kind) not in shown]
    lines += wrapped(f"No time in this sample: {_some(idle)}.") if idle else []
    parts = [_stretch(stretch, _awaited(forecast)) for stretch in typical.path]
    if parts:
        lines += wrapped(f"Critical path: {_some(parts, len(typical.path) + typical.left_out, ', then ')}.")
    return "\n".join(lines) + "\n"


def name(step: str, kind: str) -> str:
    """Of a step, or of a mechanism of its crew: `fix`, `fix: merge`."""
    return printable(step if kind in ("llm", "agent", "tool", "human") else f"{step}: {kind}")


def _some(parts: list[str], count: int | None = None, between: str = ", ") -> str:
    """The first of them, of which there may be more."""
    count = len(parts) if count is None else count
    more = [f"{count - _PATH:,} more"] if count > _PATH else []
    return between.join(parts[:_PATH] + more)


def _awaited(forecast: Forecast) -> str:
    """What the critical path waits for."""
    return "its turn" if any(crew.name == LIMITED for crew in forecast.crews) else "an agent"


def _stretch(stretch: Stretch, awaited: str) -> str:
    if stretch.kind == "waiting":
        who = f"{printable(stretch.step)} waits" if stretch.step else "a wait"
        return f"{who} for {awaited} ({quantities.seconds(stretch.seconds)})"
    times = f"{stretch.occurrences:,} x " if stretch.occurrences > 1 else ""
    return f"{times}{name(stretch.step, stretch.kind)} ({quantities.seconds(stretch.seconds)})"


def _kept(rows: tuple[StepSpan, ...]) -> list[StepSpan]:
    """As many as there is room for: those that are longest on the critical path, then those that take most time."""
    ranked = sorted(rows, key=lambda row: (sum(row.critical), sum(row.at_once)), reverse=True)[:_ROWS]
    return [row for row in rows if row in ranked]


def _label(row: StepSpan) -> str:
    text = name(row.step, row.kind)
    return text if len(text) <= _LABEL else f"…{text[1 - _LABEL :]}"


def _cells(row: StepSpan) -> str:
    """A glyph for each slot of time."""
    return "".join(
        CRITICAL if critical else SHADES[min(2, int(3 * running / row.most))] if running else " "
        for running, critical in zip(row.at_once, row.critical, strict=True)
    )


def _axis(seconds: float) -> str:
    """Marks at round times, each with its label to the right."""
    least = seconds * _APART / SLOTS
    step = next(_steps(least))
    line = ""
    number = 0
    while step * number < seconds:
        at = int(step * number / seconds * SLOTS)
        label = f"|{_round(step * number)}"
        if at + len(label) <= SLOTS:
            line = f"{line:<{at}}{label}"
        number += 1
    return line


def _steps(least: float) -> Iterator[float]:
    """Round times from `least` on."""
    if least < 1:
        yield from (value for power in range(-9, 0) for one in (1, 2, 5) if (value := one * 10.0**power) >= least)
    yield from (float(one) for one in _STEPS if one >= least)
    yield from (
        86400.0 * one * 10**power for power in range(9) for one in (1, 2, 5) if 86400.0 * one * 10**power >= least
    )


def _round(seconds: float) -> str:
    """A round time without what is nothing: `1h`, `1h30min`, `0.2s`."""
    if not seconds:
        return "0"
    if seconds < 1 or seconds != round(seconds):
        return f"{seconds:.6g}s"
    found, left = "", round(seconds)
    for size, unit in _UNITS:
        if left >= size:
            found += f"{left // size}{unit}"
            left %= size
    return found
