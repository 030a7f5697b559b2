"""Means over samples with standard errors, from exact sums: the order of the samples does not matter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
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
