"""Means over samples with standard errors, from exact sums, and the distribution of completion times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.moments import Moments
from planner.engine.statistics import Values
from planner.timing.cost import Billing

NANO = 1e-9
"""Unit of costs, in US dollars."""


class TokenMoments:
    """Moments of three numbers of tokens.

    prompt : tokens of prefilled input
    cache_read : tokens of input that is read from a cache
    output : tokens of output
    """

    def __init__(self) -> None:
        self.prompt, self.cache_read, self.output = Moments(1.0), Moments(1.0), Moments(1.0)

    def add(self, billed: Billing) -> None:
        """Add the billed tokens of S samples. Each number of tokens is an array (S,)."""
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
        """Standard errors of three means: of `prompt`, `cache_read` and `output`."""
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

    percentile : number of the percentile, from 0 to 100
    seconds : value of the percentile
    low, high : ends of the 95% interval of `seconds`; None if there are too few samples
    """

    percentile: int
    seconds: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Histogram:
    """A histogram of completion times, with `BINS` bins of equal width.

    low : start of the first bin: the shortest completion time, in seconds
    high : end of the last bin: the 99th percentile, in seconds
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
    """The distribution of completion times, as percentiles and a histogram."""

    percentiles: tuple[Percentile, ...]
    histogram: Histogram

    @classmethod
    def of(cls, seconds: Values) -> Distribution:
        """Return the distribution of completion times. The histogram uses only the samples in `seconds.first`."""
        percentiles = (
            Percentile(percentile, seconds.quantile(percentile / 100), *seconds.known_interval(percentile / 100))
            for percentile in PERCENTILES
        )
        return cls(tuple(percentiles), Histogram.of(seconds.first))
