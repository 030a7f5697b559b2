"""Sentences about the estimates that drive the p90 of the completion time."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import printable
from planner.planning.sensitivity.drivers import Driver
from planner.planning.sensitivity.tornado import Influence, Sensitivity, first_to_measure
from planner.report.wording import quantities


def sensitivity_heading(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the heading of a sensitivity analysis as lines of text: samples, scenario, and p90 of completion time."""
    time, point = sensitivity.seconds, sensitivity.scenario
    model = f" on {printable(point.model)}" if point.model else ""
    yield f"{printable(sensitivity.workflow)}: {quantities.samples(sensitivity.samples)}, seed {sensitivity.seed}"
    comma = "" if list(sensitivity.sizes) == ["agents"] else ","
    yield f"{quantities.crews(sensitivity.sizes, point.agents)}{comma} at {quantities.factor(point.speed)}{model}."
    yield f"Completion p90 {quantities.seconds(time.p90)} (95%: {quantities.between(time.p90_low, time.p90_high)})"


def sensitivity_answer(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the sentence that names the estimate to measure first.

    If no estimate has a significant effect, the sentence says so.
    """
    first = first_to_measure(sensitivity.drivers)
    if first is None:
        yield "No estimate that can be measured moves the completion time by more than the error of the simulation."
        return
    yield (
        f"Measure first: {driver_name(first.driver)}. Where it is in its highest fifth, p90 is "
        f"{quantities.seconds(first.p90_high)}; in its lowest, {quantities.seconds(first.p90_low)}."
    )


def driver_name(driver: Driver) -> str:
    """Return the name of a driver: the step, the key and the estimate. A driver is an estimate that affects the p90."""
    if driver.key == "overall":
        return "overall (error of all estimates)"
    step = f"{printable(driver.step)} ({driver.kind})" if driver.kind != "llm" else printable(driver.step)
    estimate = f" {driver.estimate}" if driver.estimate else ""
    return f"{step}: {driver.key}{estimate}"


def swing(influence: Influence) -> str:
    """Return the swing of an estimate as text. The swing is `p90 with high values - p90 with low values`.

    High values are the highest fifth of the estimate's values. Low values are the lowest fifth.
    """
    return f"{'-' if influence.swing < 0 else '+'}{quantities.seconds(abs(influence.swing))}"
