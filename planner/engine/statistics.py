"""Statistics of samples that assume nothing of their distribution, in memory that does not grow with them."""

from __future__ import annotations

import math
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Z975 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

KEPT = 1 << 16
"""Samples that are kept one by one. Of more, quantiles are known to 1 part in 2¹⁵."""

_BIN_BITS = 52 - 14
"""Bits of a double that a bin leaves out: bins are 1 part in 2¹⁴ wide."""

GROUPS = 16
"""Into which samples are parted, to see how much a statistic varies between them."""


class Values:
    """A quantity that is not negative, in each sample, in their order. The first `KEPT` are there one by one.

    What comes out does not depend on how many samples are added at a time: more than `KEPT` are summed up in so many.
    """

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Floats] = []
        self._waiting: list[Floats] = []  # beyond those that are kept, until there are `KEPT`
        self._moments = (0, 0.0, 0.0)  # of all but those: count, mean, sum of squared distances from it
        self._bins = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)
        self._sorted: Floats | None = None

    def add(self, samples: Floats) -> None:
        """Add (n,) samples, at most `KEPT`."""
        room = KEPT - self.count % KEPT
        if len(samples) > room:
            self.add(samples[:room])
            samples = samples[room:]
        self._sorted = None
        self.count += len(samples)
        if self.count <= KEPT:
            self._kept.append(samples)
            return
        if not len(self._counts):
            self._fold(self.first)
        self._waiting.append(samples)
        if self.count % KEPT == 0:
            self._fold(np.concatenate(self._waiting))
            self._waiting = []

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
    def mean(self) -> float:
        return self._all()[1]

    @property
    def grouped_medians(samples: Floats) -> Floats | None:
    """(GROUPS,) medians of groups of (n,) samples; None where there are too few for groups of two."""
    size = len(samples) // GROUPS
    if size < 2:
        return None
    return np.asarray(np.median(samples[: size * GROUPS].reshape(GROUPS, size), axis=1))


def standard_error(of_groups: Floats) -> float:
    """Of a statistic of all samples, from what it is in each of (GROUPS,) groups of them."""
    return float(np.std(of_groups, ddof=1) / math.sqrt(GROUPS))
