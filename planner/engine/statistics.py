"""Statistics of samples that assume nothing of their distribution, in memory that does not grow with them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z975 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

KEPT = 1 << 16
"""Samples that are kept one by one. Of more, quantiles are known to 1 part in 2¹⁵."""

_BIN_BITS = 52 - 14
"""Bits of a double that a bin leaves out: bins are 1 part in 2¹⁴ wide."""

GROUPS = 16
"""Into which samples are parted, to see how much a statistic varies between them."""


class Values:
    """A quantity that is not negative, in each sample, in their order. The first `KEPT` are there one by one."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Floats] = []
        self.mean = 0.0
        self._scatter = 0.0  # sum of squared distances from the mean
        self._bins = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)
        self._sorted: Floats | None = None

    def add(self, samples: Floats) -> None:
        """Add (n,) samples."""
        if self.count < KEPT < self.count + len(samples):
            room = KEPT - self.count
            self.add(samples[:room])
            samples = samples[room:]
        self._sorted = None
        total = self.count + len(samples)
        mean = float(samples.mean())
        apart = mean - self.mean
        self._scatter += float(np.square(samples - mean).sum()) + apart**2 * self.count * len(samples) / total
        self.mean += apart * len(samples) / total
        if self.count < KEPT:
            self._kept.append(samples)
        else:
            if self.count == KEPT:
                self._count(self.first)
            self._count(samples)
        self.count = total

    @classmethod
    def of(cls, samples: Floats) -> Values:
        """Of (n,) samples."""
        found = cls()
        found.add(samples)
        return found

    @property
    def first(self) -> Floats:
        """The first `KEPT` samples, in their order."""
        if len(self._kept) > 1:
            self._kept = [np.concatenate(self._kept)]
        return self._kept[0] if self._kept else np.empty(0)

    @property
    def standard_error(self) -> float:
        """Of the mean; 0 of a single sample."""
        if self.count < 2:
            return 0.0
        return math.sqrt(self._scatter / (self.count - 1) / self.count)

    def quantile(self, q: float) -> float:
        """The quantile `q` from 0 to 1, interpolated linearly between samples."""
        place = q * (self.count - 1)
        low, high = self._ranked(math.floor(place)), self._ranked(math.ceil(place))
        return low + (high - low) * (place - math.floor(place))

    def at_most(self, limit: float) -> int:
        """How many samples are at most so much; of more than `KEPT` those whose bin begins there."""
        if self.count <= KEPT:
            return int(np.count_nonzero(self.first <= limit))
        starts = (self._bins << _BIN_BITS).view(np.float64)
        return int(self._counts[starts <= limit].sum())

    def interval(self, q: float) -> tuple[float, float]:
        """95 % confidence interval of the quantile `q`, as `ranks`."""
        low, high = ranks(self.count, q)
        return self._ranked(low), self._ranked(high)

    def _ranked(self, rank: int) -> float:
        """The sample of a rank, from 0; of more than `KEPT` the middle of its bin."""
        if self.count <= KEPT:
            if self._sorted is None:
                self._sorted = np.sort(self.first)
            return float(self._sorted[rank])
        at = int(np.searchsorted(np.cumsum(self._counts), rank, side="right"))
        ends = (np.array([self._bins[at], self._bins[at] + 1]) << _BIN_BITS).view(np.float64)
        return float(ends.mean())

    def _count(self, samples: Floats) -> None:
        bins, counts = np.unique(np.ascontiguousarray(samples).view(np.int64) >> _BIN_BITS, return_counts=True)
        both = np.concatenate([self._bins, bins])
        self._bins, place = np.unique(both, return_inverse=True)
        self._counts = np.bincount(place, np.concatenate([self._counts, counts])).astype(np.int64)


def ranks(n: int, q: float) -> tuple[int, int]:
    """Ranks, from 0, of the samples among n iid ones that enclose the quantile `q`, 0 < q < 1, in 95 of 100 cases.

    They lie 1.96 standard deviations of Binomial(n, q) from n·q on either side (normal approximation, widened to whole
    ranks); the least or the greatest sample where there is no such rank.
    """
    spread = Z975 * math.sqrt(n * q * (1 - q))
    return max(math.floor(n * q - spread) - 1, 0), min(math.ceil(n * q + spread), n - 1)


def quantile_interval(samples: Floats, q: float) -> tuple[float, float]:
    """95 % confidence interval of the quantile `q`, 0 < q < 1, of iid samples, as `ranks`."""
    ordered = np.sort(samples)
    low, high = ranks(len(ordered), q)
    return float(ordered[low]), float(ordered[high])


def share_interval(count: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a share, of which `count` of n iid samples are: Wilson's (1927)."""
    share, weight = count / n, Z975**2 / n
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return (max(0.0, middle - half) if count else 0.0), (min(1.0, middle + half) if count < n else 1.0)


def standard_error(statistic: Callable[..., float], *samples: Floats) -> float | None:
    """Of any statistic of (n,) samples that belong together: from how it varies between `GROUPS` groups of them.

    None where there are too few samples for groups of two.
    """
    size = len(samples[0]) // GROUPS
    if size < 2:
        return None
    found = [statistic(*(one[at * size : (at + 1) * size] for one in samples)) for at in range(GROUPS)]
    return float(np.std(found, ddof=1) / math.sqrt(GROUPS))
