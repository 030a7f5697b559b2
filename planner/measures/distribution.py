"""Completion times in; percentiles with intervals, and a histogram, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.statistics import Values

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
