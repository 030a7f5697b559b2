"""What drives the p90, as a tornado of text in 80 columns; and as JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from planner.errors import printable
from planner.planning.sensitivity.drivers import Driver
from planner.planning.sensitivity.tornado import Influence, Sensitivity, first_to_measure
from planner.report.data.results import csv_text, flat, json_text
from planner.report.text.comparison import wrapped
from planner.report.wording import quantities
from planner.report.wording.notes import worded

_SHOWN = 15
_NAME, _BAR = 32, 24


def sensitivity_text(found: Sensitivity) -> str:
    """The tornado, what to measure first, and the notes."""
    lines = [
        *(part for line in heading(found) for part in wrapped(line)),
        "",
        *(part for line in answer(found) for part in wrapped(line)),
        "",
        *_tornado(found),
    ]
    lines += [""] if found.notes else []
    lines += [line for note in worded(found.notes) for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def heading(found: Sensitivity) -> Iterator[str]:
    """What was simulated, the scenario and its p90."""
    time, point = found.seconds, found.scenario
    model = f" on {printable(point.model)}" if point.model else ""
    yield f"{printable(found.workflow)}: {quantities.samples(found.samples)}, seed {found.seed}"
    at = "" if list(found.sizes) == ["agents"] else ","
    yield f"{quantities.crews(found.sizes)}{at} at {quantities.factor(point.speed)}{model}."
    yield f"Completion p90 {quantities.seconds(time.p90)} (95%: {quantities.between(time.p90_low, time.p90_high)})"


def answer(found: Sensitivity) -> Iterator[str]:
    """What to measure first."""
    first = first_to_measure(found.drivers)
    if first is None:
        yield "No estimate that can be measured moves the completion time by more than the error of the simulation."
        return
    yield (
        f"Measure first: {driver_name(first.driver)}. Where it is in its highest fifth, p90 is "
        f"{quantities.seconds(first.p90_high)}; in its lowest, {quantities.seconds(first.p90_low)}."
    )


def driver_name(driver: Driver) -> str:
    """The step, the key and the estimate."""
    if driver.key == "overall":
        return "overall (error of all estimates)"
    of = f"{printable(driver.step)} ({driver.kind})" if driver.kind != "llm" else printable(driver.step)
    written = f" {driver.estimate}" if driver.estimate else ""
    return f"{of}: {driver.key}{written}"


def _tornado(found: Sensitivity) -> Iterator[str]:
    told = [one for one in found.drivers if one.told]
    shown = told[:_SHOWN]
    if not shown:
        return
    least = min(min(one.p90_low, one.p90_high) for one in shown)
    most = max(max(one.p90_low, one.p90_high) for one in shown)
    yield "p90 in the lowest fifth of each (░) and in its highest (█); share of variance"
    yield f"{'':<{_NAME}}{quantities.seconds(least):<{_BAR - 9}}{quantities.seconds(most):>9}{'swing':>11}{'share':>7}"
    middle = found.seconds.p90
    for one in shown:
        yield _row(one, least, most, middle)
    rest = len(found.drivers) - len(shown)
    error = max(one.swing_error for one in shown)
    yield f"Swings are known to ± {quantities.seconds(error)} or better (95%)."
    if rest:
        yield from wrapped(f"{rest} more cannot be told from nothing, or are less than these.")


def _row(one: Influence, least: float, most: float, middle: float) -> str:
    scale = (_BAR - 1) / (most - least) if most > least else 0.0

    def at(value: float) -> int:
        return round((min(max(value, least), most) - least) * scale)

    low, high, centre = at(one.p90_low), at(one.p90_high), at(middle)
    cells = [" "] * _BAR
    for place in range(*_span(low, centre)):
        cells[place] = "░"
    for place in range(*_span(centre, high)):
        cells[place] = "█"
    cells[centre] = "│"
    name = driver_name(one.driver)
    name = name if len(name) < _NAME else f"{name[: _NAME - 2]}…"
    return f"{name:<{_NAME}}{''.join(cells)}{swing(one):>11}{quantities.percent(one.share):>7}"


def swing(one: Influence) -> str:
    """From its lowest fifth to its highest."""
    return f"{'-' if one.swing < 0 else '+'}{quantities.seconds(abs(one.swing))}"


def _span(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other) + 1


def sensitivity_data(found: Sensitivity) -> dict[str, Any]:
    """The scenario and all drivers."""
    return {
        "workflow": found.workflow,
        "seed": found.seed,
        "samples": found.samples,
        "precision": {**asdict(found.precision), "converged": found.precision.converged},
        **asdict(found.scenario),
        "sizes": dict(found.sizes),
        "seconds": asdict(found.seconds),
        "drivers": [_driver(one) for one in found.drivers],
        "notes": list(worded(found.notes)),
    }


def _driver(one: Influence) -> dict[str, Any]:
    data = asdict(one)
    return {**data.pop("driver"), **data}


def sensitivity_json(found: Sensitivity) -> str:
    """`sensitivity_data` as JSON."""
    return json_text(sensitivity_data(found))


def sensitivity_rows(found: Sensitivity) -> list[dict[str, Any]]:
    """A row for each driver."""
    return [flat(_driver(one)) for one in found.drivers]


def sensitivity_csv(found: Sensitivity) -> str:
    """`sensitivity_rows` as CSV."""
    return csv_text(sensitivity_rows(found) or [{"step": "", "kind": "", "key": ""}])
