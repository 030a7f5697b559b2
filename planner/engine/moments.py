"""Means of samples with their standard errors, added up exactly in any order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats


@dataclass(frozen=True)
class Mean:
    """A mean over samples.

    standard_error : standard error of the mean; 0 for a single sample. It ignores that the workflow's estimates may be
        wrong
    """

    mean: float
    standard_error: float

    @classmethod
    def ratio(cls, above: Floats, below: Floats) -> Mean:
        """Return the ratio `mean(above) / mean(below)` with its first-order standard error.

        The ratio is 0 if the mean of `below` is 0.

        above, below : arrays (N,) for N samples, paired by sample
        """
        count, scale = len(below), float(below.mean())
        if not scale:
            return cls(0.0, 0.0)
        share = float(above.mean()) / scale
        spread = float((above - share * below).std(ddof=1)) if count > 1 else 0.0
        return cls(share, spread / math.sqrt(count) / scale)


class Moments:
    """The count, the sum and the sum of squares of samples.

    Values are rounded to multiples of `unit`. The multiples are added as integers, so sums are exact.
    """

    def __init__(self, unit: float) -> None:
        self.unit = unit
        self.count = self.total = self.squares = 0

    def add(self, values: Floats) -> None:
        """Add S samples, given as an array (S,). Each value must be below ``2⁵³ * unit``."""
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
        """Return the mean of all added samples, with its standard error. There must be at least one sample."""
        if self.count == 1:
            return Mean(self.total * self.unit, 0.0)
        variance = (self.count * self.squares - self.total * self.total) / (self.count * (self.count - 1))
        return Mean(self.total * self.unit / self.count, math.sqrt(variance / self.count) * self.unit)
