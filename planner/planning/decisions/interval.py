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
    share_interval,
    standard_error,
)
from planner.measures.moments import Mean
from planner.planning.results import Scenario


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


@dataclass(frozen=True)
class Beats:
    """Share of samples in which `one` is quicker than `other` in the same project. equal : share of those as quick."""

    one: Scenario
    other: Scenario
    quicker: Interval
    equal: float


@dataclass(frozen=True)
class Success:
    """How much less often right a scenario may be than the baseline, per accepted result.

    chance : of the baseline, that a result is accepted
    by_time : the chance at which it takes as long per accepted result; above 1: it cannot
    by_usd : likewise of cost; None where that is unknown
    """

    scenario: Scenario
    chance: float
    by_time: Interval
    by_usd: Interval | None


def beats(one: Scenario, other: Scenario, samples: Samples, others: Samples) -> Beats:
    """With a 95 % interval by Wilson's score."""
    first, second = samples.seconds.first, others.seconds.first
    return Beats(one, other, share(int(np.sum(first < second)), len(first)), float(np.mean(first == second)))


def share(count: int, of: int) -> Interval:
    """A share with a 95 % interval by Wilson's score."""
    return Interval(count / of, *share_interval(count, of))


def success(scenario: Scenario, samples: Samples, baseline: Samples) -> Success:
    """Of mean time and cost: a scenario with chance p takes E[T] / p per accepted result."""
    chance = baseline.accepted.mean
    by_usd = None
    if samples.usd is not None and baseline.usd is not None and baseline.usd.mean:
        by_usd = _of(chance, ratio_of_means(samples.usd.first, baseline.usd.first))
    return Success(scenario, chance, _of(chance, ratio_of_means(samples.seconds.first, baseline.seconds.first)), by_usd)


def _of(chance: float, ratio: Interval) -> Interval:
    return ratio.times(chance) if chance else Interval(0.0, 0.0, 0.0)
