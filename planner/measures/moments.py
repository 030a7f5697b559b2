"""Means over samples with standard errors, from exact sums, and the distribution of completion times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.statistics import Values
from planner.timing.cost import Billing


@dataclass(frozen=True)
class Mean:
    """A mean over samples.

    standard_error : error from the limited number of samples, not from the estimates; 0 for a single sample
    """

    mean: float
    standard_error: float

    @classmethod
    def ratio(cls, above: Floats, below: Floats) -> Mean:
        """Return the mean of `above` divided by the mean of `below`, with the first-order error of a ratio.

        Both are (N,) arrays of paired samples. If the mean of `below` is 0, the ratio is 0.
        """
        count, scale = len(below), float(below.mean())
        if not scale:
            return cls(0.0, 0.0)
        share = float(above.mean()) / scale
        spread = float((above - share * below).std(ddof=1)) if count > 1 else 0.0
        return cls(share, spread / math.sqrt(count) / scale)


class Moments:
    """Count, sum and sum of squares of samples. Values are rounded to multiples of `unit` and summed as integers."""

    def __init__(self, unit: float) -> None:
        self.unit = unit
        self.count = self.total = self.squares = 0

    def add(self, values: Floats) -> None:
        """Add S samples, given as an array (S,). Each value must be below 2⁵³ units."""
        whole = [int(value) for value in np.rint(values / self.unit).tolist()]
        self.count += len(whole)
        self.total += sum(whole)
        self.squares += sum(value * value for value in whole)

    def plus(self, other: Moments) -> None:
        """Add the samples of another `Moments` with the same unit."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def mean(self) -> Mean:
        """Return the mean of the samples so far. At least one must have been added."""
        if self.count == 1:
            return Mean(self.total * self.unit, 0.0)
        variance = (self.count * self.squares - self.total * self.total) / (self.count * (self.count - 1))
        return Mean(self.total * self.unit / self.count, math.sqrt(variance / self.count) * self.unit)


class TokenMoments:
    """Moments of three numbers of tokens: prefilled input (`prompt`), input read from a cache, and output."""

    def __init__(self) -> None:
        self.prompt, self.cache_read, self.output = Moments(1.0), Moments(1.0), Moments(1.0)

    def add(self, billed: Billing) -> None:
        """Add the billed tokens of S samples, given as arrays (S,)."""
        self.prompt.add(billed.prompt)
        self.cache_read.add(billed.cache_read)
        self.output.add(billed.output)

    def plus(self, other: TokenMoments) -> None:
        """Add the samples of another `TokenMoments`."""
        self.prompt.plus(other.prompt)
        self.cache_read.plus(other.cache_read)
        self.output.plus(other.output)

    @property
    def standard_errors(self) -> tuple[float, float, float]:
        """Standard errors of the means of prompt, cache_read and output."""
        return (
            self.prompt.mean().standard_error, self.cache_read.mean().standard_error,
            self.output.mean().standard_error,
        )  # fmt: skip


PERCENTILES = (5, 10, 25, 50, 75, 90, 95)

BINS = 36
"""Number of bins of a histogram. They end at the 99th percentile, so that one very long run does not widen them all."""


@dataclass(frozen=True)
class Percentile:
    """A percentile of completion times.

    percentile : from 0 to 100
    low, high : ends of the 95% interval of `seconds`; None if there are too few samples
    """

    percentile: int
    seconds: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Histogram:
    """A histogram of completion times, with `BINS` bins of equal width.

    low : the shortest completion time, in seconds, where the first bin starts
    high : the 99th percentile, in seconds, where the last bin ends
    counts : number of samples in each bin; empty if `low` and `high` are about equal
    beyond : number of samples above `high`
    """

    low: float
    high: float
    counts: tuple[int, ...]
    beyond: int

    @classmethod
    def of(cls, samples: NDArray[np.float64]) -> Histogram:
        low, high = float(samples.min()), float(np.quantile(samples, 0.99))
        if high - low <= 1e-6 * high:
            return cls(low, high, (), int((samples > high).sum()))
        counts, _ = np.histogram(samples, BINS, (low, high))
        return cls(low, high, tuple(counts.tolist()), int((samples > high).sum()))


@dataclass(frozen=True)
class Distribution:
    """The distribution of completion times."""

    percentiles: tuple[Percentile, ...]
    histogram: Histogram

    @classmethod
    def of(cls, seconds: Values) -> Distribution:
        """Return the distribution of samples. Its histogram uses only the samples that `Values` stores one by one."""
        percentiles = (
            Percentile(percentile, seconds.quantile(percentile / 100), *seconds.known_interval(percentile / 100))
            for percentile in PERCENTILES
        )
        return cls(tuple(percentiles), Histogram.of(seconds.first))
