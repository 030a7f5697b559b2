"""A batch with recorded draws in; the influence of each random quantity on the completion time out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.statistics import (
    GROUPS,
    normal_quantile,
    quantile_interval,
    standard_error,
)
from planner.planning.sensitivity.drivers import Driver, RecordedDriver

FIFTH = 5
"""Number of equal parts into which samples are divided, sorted by a driver's draws. The first and last are compared."""

LEAST = 50
"""Fewest samples to use. A fifth of fewer samples would be too small for a p90."""


@dataclass(frozen=True)
class Influence:
    """The influence of a random quantity on the completion time.

    p90_low : p90 of the completion time in seconds, in the 20% of samples with the lowest draws
    p90_high : p90 of the completion time in seconds, in the 20% of samples with the highest draws
    swing : `p90_high − p90_low`; negative if higher draws make the workflow faster
    swing_error : half the width of the 95% interval of `swing`
    share : share of the variance of completion times that the quantity explains, `correlation ** 2`
    share_error : standard error of `share`; None if there are too few samples
    correlation : Pearson's correlation of draws and completion times
    told : whether `correlation` is significant, at the 5% level for all quantities together
    """

    driver: Driver
    p90_low: float
    p90_high: float
    swing: float
    swing_error: float
    share: float
    share_error: float | None
    correlation: float
    told: bool


def influences(drivers: Sequence[RecordedDriver], draws: Floats, seconds: Floats) -> tuple[Influence, ...]:
    """Return the influence of each random quantity whose draws differ between samples.

    Significant influences come before all others. Each of these two parts is sorted by the absolute value of
    `Influence.swing`, the largest first.

    draws : mean draw of each quantity in each sample, (samples, quantities)
    seconds : completion times, (samples,)
    """
    varied = [(each.driver, draws[:, column]) for column, each in enumerate(drivers) if np.ptp(draws[:, column])]
    least = _significant_correlation(len(varied), len(draws))
    found = [_influence(driver, drawn, seconds, least) for driver, drawn in varied]
    found.sort(key=lambda influence: (not influence.told, -abs(influence.swing), str(influence.driver)))
    return tuple(found)


def _significant_correlation(drivers: int, samples: int) -> float:
    """Return the least absolute correlation that is significant at the 5% level.

    Bonferroni's correction divides this level by the number of random quantities.

    drivers : number of random quantities
    """
    if not drivers:
        return 0.0
    return float(normal_quantile(np.array([1 - 0.025 / drivers]))[0]) / math.sqrt(samples)


def _influence(driver: Driver, drawn: Floats, seconds: Floats, least_correlation: float) -> Influence:
    """Return the influence of a random quantity on the completion time.

    drawn : draws of the quantity, (samples,)
    seconds : completion times, (samples,)
    least_correlation : least absolute correlation that is significant
    """
    order, size = np.argsort(drawn, kind="stable"), len(drawn) // FIFTH
    lowest, highest = seconds[order[:size]], seconds[order[-size:]]
    low, high = float(np.quantile(lowest, 0.9)), float(np.quantile(highest, 0.9))
    half = [(end - start) / 2 for start, end in (quantile_interval(fifth, 0.9) for fifth in (lowest, highest))]
    correlation = _correlation(drawn, seconds)
    return Influence(
        driver, low, high, high - low, math.hypot(*half), correlation**2,
        _share_error(drawn, seconds), correlation, abs(correlation) > least_correlation,
    )  # fmt: skip


def _share_error(drawn: Floats, seconds: Floats) -> float | None:
    """Return the standard error of the squared correlation of `drawn` and `seconds`.

    Return None if there are too few samples.
    """
    size = len(drawn) // GROUPS
    if size < 2:
        return None
    groups = [slice(number * size, (number + 1) * size) for number in range(GROUPS)]
    return standard_error(np.array([_correlation(drawn[group], seconds[group]) ** 2 for group in groups]))


def _correlation(drawn: Floats, seconds: Floats) -> float:
    if not np.ptp(drawn) or not np.ptp(seconds):
        return 0.0
    return float(np.corrcoef(drawn, seconds)[0, 1])
