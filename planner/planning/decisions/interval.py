"""Numbers with 95 % intervals, of samples that belong together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.statistics import (
    Z975,
    Values,
    enclosed,
    ranks,
    standard_error,
)
from planner.measures.moments import Mean


@dataclass(frozen=True, eq=False)
class Samples:
    """What is known of a scenario. All scenarios of a comparison are of the same samples, in the same order."""

    seconds: Values
    usd: Values | None
    accepted: Values

    @property
    def p50(self) -> float:
        return self.seconds.quantile(0.5)


@dataclass(frozen=True)
class Interval:
    """A number and the ends of its 95 % interval, None where there are too few samples to tell."""

    value: float
    low: float | None
    high: float | None

    @property
    def above(self) -> bool:
        """Whether it is surely above 0."""
        return self.low is not None and self.low > 0

    @property
    def below(self) -> bool:
        """Whether it is surely below 0."""
        return self.high is not None and self.high < 0

    def times(self, factor: float) -> Interval:
        """So many times as much; `factor` is above 0."""
        ends = [None if end is None else end * factor for end in (self.low, self.high)]
        return Interval(self.value * factor, *ends)


def around(value: float, error: float | None, least: float = -math.inf) -> Interval:
    """From a standard error, None where it is not known."""
    if error is None:
        return Interval(value, None, None)
    return Interval(value, max(least, value - Z975 * error), value + Z975 * error)


def quantile(samples: Values, q: float) -> Interval:
    """A quantile."""
    return Interval(samples.quantile(q), *samples.known_interval(q))


def median_difference(one: Values, other: Values) -> Interval:
    """The median of `one` − `other`, paired by sample, by order statistics."""
    apart = np.sort(one.first - other.first)
    middle = float(apart[(len(apart) - 1) // 2] + apart[len(apart) // 2]) / 2
    if not enclosed(len(apart), 0.5):
        return Interval(middle, None, None)
    low, high = ranks(len(apart), 0.5)
    return Interval(middle, float(apart[low]), float(apart[high]))


def of_medians(value: float, statistic: Callable[..., float], *samples: Values) -> Interval:
    """A statistic of medians of several scenarios, from how it varies between groups of samples. Not below 0."""
    medians = [one.group_medians() for one in samples]
    known = [one for one in medians if one is not None]
    if len(known) < len(medians):
        return around(value, None)
    error = standard_error(np.array([statistic(*group) for group in zip(*known, strict=True)]))
    return around(value, error * math.sqrt(len(samples[0].first) / samples[0].count), 0.0)


def ratio_of_medians(above: Values, below: Values) -> Interval:
    """p50 over p50; 1 of nothing."""
    return of_medians(_over(above.quantile(0.5), below.quantile(0.5)), _over, above, below)


def mean(samples: Values) -> Interval:
    """A mean, by its standard error."""
    return around(samples.mean, samples.standard_error)


def mean_difference(one: Values, other: Values) -> Interval:
    """Mean of `one` − `other`, by the standard error of paired differences."""
    return mean_of(one.first - other.first)


def mean_of(samples: Floats) -> Interval:
    """A mean of (n,) samples, by its standard error."""
    error = float(samples.std(ddof=1)) / math.sqrt(len(samples)) if len(samples) > 1 else None
    return around(float(samples.mean()), error)


def ratio_of_means(above: Floats, below: Floats) -> Interval:
    """Mean over mean of (n,) paired samples, by the first-order error of a ratio."""
    found = Mean.ratio(above, below)
    return around(found.mean, abs(found.standard_error) if len(above) > 1 else None)


def _over(above: float, below: float) -> float:
    return above / below if below else 1.0
