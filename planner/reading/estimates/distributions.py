"""A quantity as a distribution: known exactly, or drawn anew at each occurrence (docs/model.md, "Estimates")."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from planner.reading.units import Quantity

Z95 = 1.6448536269514722
"""95th percentile of the standard normal distribution."""

LN20 = math.log(20.0)
"""95th percentile of the exponential distribution with mean 1."""

MOST_EXPONENT = 600.0
"""Lognormals are cut at e to this, so that the widest are finite; no task may take as long."""


@dataclass(frozen=True)
class Estimate:
    """A quantity that is known exactly or drawn anew at each occurrence.

    shape : ``constant``, ``lognormal``, ``exponential``, ``triangular``, ``empirical``; ``open`` until it is settled
    scale : the constant; the median of the lognormal; the mean of any other. In seconds, tokens or tokens/s.
    sigma : standard deviation of the lognormal's logarithm, else 0
    whole : draws are rounded half up to whole numbers
    least : smallest draw: 1 for whole numbers, unless 0 was written
    text : as declared
    points : low, likely and high of the triangular; the values of the empirical, upwards, each equally likely
    counted : it is tokens of o200k_base that were counted in a text; those of another tokenizer are more or fewer
    own : it is of the model's own tokens, because it was written for that model
    approximate : they could not be counted, and are estimated from the text's length
    """

    shape: Literal["constant", "lognormal", "exponential", "triangular", "empirical", "open"]
    scale: float
    sigma: float = 0.0
    whole: bool = False
    least: float = 0.0
    text: str = ""
    points: tuple[float, ...] = ()
    counted: bool = False
    own: bool = False
    approximate: bool = False

    @property
    def varies(self) -> bool:
        return self.shape != "constant"

    @property
    def mean(self) -> float:
        """The mean of its draws before rounding."""
        return self._times_e_to(self.sigma**2 / 2)

    def quantile(self, p: float) -> float:
        """The number that a share `p` of its draws, from 0 to 1, lies below, before rounding.

        Of an empirical estimate of n values it is the value of index ⌊p·n⌋, so that a uniform `p` draws each equally.
        """
        if self.shape == "empirical":
            return self.points[min(int(p * len(self.points)), len(self.points) - 1)]
        if self.shape == "triangular":
            low, likely, high = self.points
            if p * (high - low) < likely - low:
                return low + math.sqrt(p * (high - low) * (likely - low))
            return high - math.sqrt((1 - p) * (high - low) * (high - likely))
        if self.shape == "constant":
            return self.scale
        if p in (0.0, 1.0):
            return math.inf if p else 0.0
        if self.shape == "exponential":
            return -self.scale * math.log1p(-p)
        from statistics import NormalDist  # slow to import, and needed by few

        return self._times_e_to(self.sigma * NormalDist().inv_cdf(p))

    def _times_e_to(self, exponent: float) -> float:
        if exponent < MOST_EXPONENT:
            return self.scale * math.exp(exponent)
        return math.exp(min(math.log(self.scale) + exponent, MOST_EXPONENT))

    def times(self, factor: float) -> Estimate:
        """The same estimate of a quantity `factor` times as large."""
        return replace(self, scale=self.scale * factor, points=tuple(factor * point for point in self.points))

    def bound(self, values: Mapping[str, float], model: str | None) -> Estimate:
        """The estimate once parameters and model are known: itself, unless it is `Open`. Raises `BadValueError`.

        values : of the parameters, and of `agents`
        model : of the step's requests, or None where it makes none
        """
        return self

    def __str__(self) -> str:
        return self.text


def constant(value: float) -> Estimate:
    """A quantity that is known exactly."""
    return Estimate("constant", value, text=f"{value:g}")


NOTHING = constant(0.0)


def known(number: float, quantity: Quantity, text: str) -> Estimate:
    """A number that is known exactly."""
    number = _rounded(number) if quantity.whole else number
    return Estimate("constant", number, whole=quantity.whole, least=number, text=text)


def _rounded(number: float) -> float:
    """Rounded half up, to at least 1 unless it is 0."""
    return max(float(math.floor(number + 0.5)), 1.0 if number else 0.0)


def ranged(a: float, b: float, quantity: Quantity, text: str) -> Estimate:
    """A lognormal with 5th percentile a and 95th percentile b; of a = 0 an exponential. a ≤ b."""
    if a == b:
        return known(a, quantity, text)
    if a == 0:
        return Estimate("exponential", b / LN20, whole=quantity.whole, text=text)
    return lognormal(math.sqrt(a) * math.sqrt(b), (math.log(b) - math.log(a)) / (2 * Z95), quantity, text)


def lognormal(median: float, sigma: float, quantity: Quantity, text: str) -> Estimate:
    """A lognormal; `sigma` is the standard deviation of its logarithm."""
    return Estimate("lognormal", median, sigma, quantity.whole, 1.0 if quantity.whole else 0.0, text)


def triangular(low: float, likely: float, high: float, quantity: Quantity, text: str) -> Estimate:
    """A triangle, whose density rises from `low` to `likely` and falls to `high`."""
    if low == high:
        return known(low, quantity, text)
    least = 1.0 if quantity.whole and low else 0.0
    mean = low / 3 + likely / 3 + high / 3
    return Estimate("triangular", mean, 0.0, quantity.whole, least, text, (low, likely, high))


def empirical(numbers: Sequence[float], quantity: Quantity, text: str) -> Estimate:
    """Numbers that are equally likely; there is one at least."""
    points = sorted(map(_rounded, numbers)) if quantity.whole else sorted(numbers)
    if points[0] == points[-1]:
        return known(points[0], quantity, text)
    least = 1.0 if quantity.whole and points[0] else 0.0
    mean = math.fsum(point / len(points) for point in points)
    return Estimate("empirical", mean, 0.0, quantity.whole, least, text, tuple(points))
