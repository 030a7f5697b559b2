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

    standard_error : of the simulation, not of the estimates; 0 for a single sample
    """

    mean: float
    standard_error: float

    @classmethod
    def ratio(cls, above: Floats, below: Floats) -> Mean:
        """Mean of (N,) `above` over mean of `below`, or 0 if that is 0. The error is to first order."""
        count, scale = len(below), float(below.mean())
        if not scale:
            return cls(0.0, 0.0)
        share = float(above.mean()) / scale
        spread = float((above - share * below).std(ddof=1)) if count > 1 else 0.0
        return cls(share, spread / math.sqrt(count) / scale)


class Moments:
    """Count, sum and sum of squares of samples. Values are rounded to whole units and summed as whole numbers."""

    def __init__(self, unit: float) -> None:
        self.unit = unit
        self.count = self.total = self.squares = 0

    def add(self, values: Floats) -> None:
        """Add (S,) samples, each below 2⁵³ units."""
        whole = [int(value) for value in np.rint(values / self.unit).tolist()]
        self.count += len(whole)
        self.total += sum(whole)
        self.squares += sum(value * value for value in whole)

    def plus(self, other: Moments) -> None:
        """Add the samples of another."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def mean(self) -> Mean:
        """Mean of the samples so far, at least one."""
        if self.count == 1:
            return Mean(self.total * self.unit, 0.0)
        variance = (self.count * self.squares - self.total * self.total) / (self.count * (self.count - 1))
        return Mean(self.total * self.unit / self.count, math.sqrt(variance / self.count) * self.unit)


class TokenMoments:
    """Moments of input that is prefilled, input that is read from a cache, and output, in whole tokens."""

    def __init__(self) -> None:
        self.prompt, self.cache_read, self.output = Moments(1.0), Moments(1.0), Moments(1.0)

    def add(self, billed: Billing) -> None:
        """Add (S,) samples."""
        self.prompt.add(billed.prompt)
        self.cache_read.add(billed.cache_read)
        self.output.add(billed.output)

    def plus(self, other: TokenMoments) -> None:
        """Add the samples of another."""
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
"""Bins of a histogram. They end at the 99th percentile, so that one late sample does not squeeze the others."""


@dataclass(frozen=True)
class Percentile:
    """A percentile of completion times, seconds.

    low, high : 95% interval, or None with too few samples
    """

    percentile: int
    seconds: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Histogram:
    """Counts of samples in `BINS` equal bins from `low`, the least, to `high`, in seconds.

    counts : empty if all samples are equal
    beyond : samples above `high`
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
        """Percentiles are those of all samples, the histogram is of the samples kept individually."""
        percentiles = (
            Percentile(percentile, seconds.quantile(percentile / 100), *seconds.known_interval(percentile / 100))
            for percentile in PERCENTILES
        )
        return cls(tuple(percentiles), Histogram.of(seconds.first))
