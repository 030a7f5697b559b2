"""The distribution of completion times: samples in, percentiles with their intervals and a histogram out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.statistics import Values

PERCENTILES = (5, 10, 25, 50, 75, 90, 95)

BINS = 36
"""Of a histogram. They end at the 99th percentile, so that one late sample does not squeeze the others."""


@dataclass(frozen=True)
class Percentile:
    """So many per cent of cases are at most so long. low, high : 95 % interval, None where there are too few samples;
    seconds."""

    percentile: int
    seconds: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Histogram:
    """Samples in each of `BINS` equal bins of seconds from `low`, the least, to `high`; `beyond` are longer than that.

    Where all samples are equal, `counts` is empty.
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
    """Of completion times."""

    percentiles: tuple[Percentile, ...]
    histogram: Histogram

    @classmethod
    def of(cls, seconds: Values) -> Distribution:
        """Percentiles of all samples, the histogram of those that are kept one by one."""
        found = (
            Percentile(percentile, seconds.quantile(percentile / 100), *seconds.known_interval(percentile / 100))
            for percentile in PERCENTILES
        )
        return cls(tuple(found), Histogram.of(seconds.first))
