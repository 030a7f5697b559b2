"""Means over samples with their standard errors, from sums that are exact in whatever order samples come."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats


@dataclass(frozen=True)
class Mean:
    """A mean over samples. standard_error : of the simulation, not of the estimates; 0 for a single sample."""

    mean: float
    standard_error: float

    @classmethod
    def ratio(cls, above: Floats, below: Floats) -> Mean:
        """Mean of (N,) `above` over that of `below`, 0 where that is 0; the error is the first-order one of a ratio."""
        count, scale = len(below), float(below.mean())
        if not scale:
            return cls(0.0, 0.0)
        share = float(above.mean()) / scale
        spread = float((above - share * below).std(ddof=1)) if count > 1 else 0.0
        return cls(share, spread / math.sqrt(count) / scale)


class Moments:
    """Count, sum and sum of squares of samples, which are rounded to whole units and summed as whole numbers."""

    def __init__(self, unit: float) -> None:
        self.unit = unit
        self.count = self.total = self.squares = 0

    def add(self, values: Floats) -> None:
        """Add (S,) samples; each is below 2⁵³ units."""
        whole = [int(value) for value in np.rint(values / self.unit).tolist()]
        self.count += len(whole)
        self.total += sum(whole)
        self.squares += sum(value * value for value in whole)

    def plus(self, other: Moments) -> None:
        """Add the samples of both."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def mean(self) -> Mean:
        """Of the samples so far, at least one."""
        if self.count == 1:
            return Mean(self.total * self.unit, 0.0)
        variance = (self.count * self.squares - self.total * self.total) / (self.count * (self.count - 1))
        return Mean(self.total * self.unit / self.count, math.sqrt(variance / self.count) * self.unit)


class TokenMoments:
    """Of input that is prefilled, input that is read from a cache, and output: whole tokens."""

    def __init__(self) -> None:
        self.kinds = (Moments(1.0), Moments(1.0), Moments(1.0))

    def add(self, billed: Floats) -> None:
        """Add (4, S) as billed: input, written to a cache, read from a cache, output."""
        for moments, values in zip(self.kinds, (billed[0] + billed[1], billed[2], billed[3]), strict=True):
            moments.add(values)

    def plus(self, other: TokenMoments) -> None:
        """Add the samples of both."""
        for moments, more in zip(self.kinds, other.kinds, strict=True):
            moments.plus(more)

    @property
    def standard_errors(self) -> tuple[float, float, float]:
        """Of the means."""
        plain, read, output = (moments.mean().standard_error for moments in self.kinds)
        return plain, read, output
