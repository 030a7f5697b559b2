"""Statistics of paired samples with 95% intervals: quantiles, means, differences, ratios and shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.moments import Mean
from planner.engine.statistics import Z975, Values, enclosed, ranks, share_interval, standard_error


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its 95% interval. The ends are None if there are too few samples."""

    value: float
    low: float | None
    high: float | None

    @property
    def above(self) -> bool:
        """Whether the whole 95% interval of the estimate is above 0."""
        return self.low is not None and self.low > 0

    @property
    def below(self) -> bool:
        """Whether the whole 95% interval of the estimate is below 0."""
        return self.high is not None and self.high < 0

    def times(self, factor: float) -> Interval:
        """Return the estimate and its 95% interval, multiplied by `factor`. The factor must be above 0."""
        ends = [None if end is None else end * factor for end in (self.low, self.high)]
        return Interval(self.value * factor, *ends)


def from_error(value: float, error: float | None, least: float = -math.inf) -> Interval:
    """Return an estimate with its 95% interval. The estimate is assumed to be normally distributed.

    error : standard error; None if unknown
    least : least possible value of the estimate
    """
    if error is None:
        return Interval(value, None, None)
    return Interval(value, max(least, value - Z975 * error), value + Z975 * error)


def quantile(samples: Values, q: float) -> Interval:
    """Return the quantile `q` of a scenario's samples, with its 95% interval."""
    return Interval(samples.quantile(q), *samples.known_interval(q))


def median_difference(one: Values, other: Values) -> Interval:
    """Return the median of the differences `one − other`, paired by sample, with its 95% interval."""
    differences = np.sort(one.first - other.first)
    n = len(differences)
    median = float(differences[(n - 1) // 2] + differences[n // 2]) / 2
    if not enclosed(n, 0.5):
        return Interval(median, None, None)
    low, high = ranks(n, 0.5)
    return Interval(median, float(differences[low]), float(differences[high]))


def of_medians(value: float, statistic: Callable[..., float], *samples: Values) -> Interval:
    """Return a statistic of medians, such as the ratio of two medians, with its 95% interval.

    The interval is computed from the values of the statistic for groups of samples.

    value : value of the statistic for all samples, at least 0
    statistic : function that computes the statistic from the medians of the scenarios, in the order of `samples`
    samples : samples of each scenario
    """
    medians = [each.group_medians() for each in samples]
    known = [each for each in medians if each is not None]
    if len(known) < len(medians):
        return from_error(value, None)
    error = standard_error(np.array([statistic(*group) for group in zip(*known, strict=True)]))
    return from_error(value, error * math.sqrt(len(samples[0].first) / samples[0].count), 0.0)


def ratio_of_medians(above: Values, below: Values) -> Interval:
    """Return `p50 of above / p50 of below`, with its 95% interval. If the p50 of `below` is 0, the ratio is 1."""
    return of_medians(_over(above.quantile(0.5), below.quantile(0.5)), _over, above, below)


def mean(samples: Values) -> Interval:
    """Return the mean of a scenario's samples, with its 95% interval."""
    return from_error(samples.mean, samples.standard_error)


def mean_difference(one: Values, other: Values) -> Interval:
    """Return the mean of the differences `one − other`, paired by sample, with its 95% interval."""
    return mean_of(one.first - other.first)


def mean_of(samples: Floats) -> Interval:
    """Return the mean of an array (samples,), with its 95% interval."""
    error = float(samples.std(ddof=1)) / math.sqrt(len(samples)) if len(samples) > 1 else None
    return from_error(float(samples.mean()), error)


def ratio_of_means(above: Floats, below: Floats) -> Interval:
    """Return `mean of above / mean of below`, with its 95% interval.

    above, below : arrays (samples,), paired by sample
    """
    ratio = Mean.ratio(above, below)
    return from_error(ratio.mean, abs(ratio.standard_error) if len(above) > 1 else None)


def _over(above: float, below: float) -> float:
    return above / below if below else 1.0


def share(count: int, total: int) -> Interval:
    """Return `count / total`, with Wilson's 95% interval."""
    return Interval(count / total, *share_interval(count, total))
