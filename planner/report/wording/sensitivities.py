"""Sentences about the estimates that drive the p90."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import printable
from planner.planning.sensitivity.drivers import Driver
from planner.planning.sensitivity.tornado import Influence, Sensitivity, first_to_measure
from planner.report.wording import quantities


def sensitivity_heading(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield lines on the workflow, its samples, the scenario and the p90 of its completion time."""
    time, point = sensitivity.seconds, sensitivity.scenario
    model = f" on {printable(point.model)}" if point.model else ""
    yield f"{printable(sensitivity.workflow)}: {quantities.samples(sensitivity.samples)}, seed {sensitivity.seed}"
    comma = "" if list(sensitivity.sizes) == ["agents"] else ","
    yield f"{quantities.crews(sensitivity.sizes)}{comma} at {quantities.factor(point.speed)}{model}."
    yield f"Completion p90 {quantities.seconds(time.p90)} (95%: {quantities.between(time.p90_low, time.p90_high)})"


def sensitivity_answer(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the sentence on the estimate to measure first."""
    first = first_to_measure(sensitivity.drivers)
    if first is None:
        yield "No estimate that can be measured moves the completion time by more than the error of the simulation."
        return
    yield (
        f"Measure first: {driver_name(first.driver)}. Where it is in its highest fifth, p90 is "
        f"{quantities.seconds(first.p90_high)}; in its lowest, {quantities.seconds(first.p90_low)}."
    )


def driver_name(driver: Driver) -> str:
    """Name of a driver: its step, key and estimate."""
    if driver.key == "overall":
        return "overall (error of all estimates)"
    step = f"{printable(driver.step)} ({driver.kind})" if driver.kind != "llm" else printable(driver.step)
    estimate = f" {driver.estimate}" if driver.estimate else ""
    return f"{step}: {driver.key}{estimate}"


def swing(influence: Influence) -> str:
    """Change of the p90 between samples in the lowest and in the highest fifth of a driver."""
    return f"{'-' if influence.swing < 0 else '+'}{quantities.seconds(abs(influence.swing))}"
