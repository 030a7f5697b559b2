"""Tokens over samples, for the errors of their means."""

from __future__ import annotations

from planner.engine.arrays import Floats
from planner.measures.moments import Moments


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
