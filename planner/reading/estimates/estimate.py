"""Quantities: constants, or distributions from which each occurrence is drawn anew (docs/model.md, "Estimates")."""

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
"""Lognormal draws are capped at e to this power, so that they are finite. The cap is beyond any allowed duration."""


@dataclass(frozen=True)
class Estimate:
    """A quantity: a constant, or a distribution from which each occurrence is drawn.

    shape : ``constant``, ``lognormal``, ``exponential``, ``triangular``, ``empirical``; ``unbound`` before `bind`
    scale : the constant, the median of a lognormal, or the mean of any other; in seconds, tokens or tokens/s
    sigma : standard deviation of a lognormal's logarithm, else 0
    whole : whether draws are rounded half up to whole numbers
    least : smallest draw: 1 for whole numbers, unless 0 was written
    text : the estimate as declared
    points : low, likely and high of a triangular; the equally likely values of an empirical, in ascending order
    counted : whether it was counted in a text with o200k_base; other tokenizers give other numbers
    own : whether it is in tokens of the model's own tokenizer, because it was written for that model
    approximate : whether it was estimated from the text's length, because counting was not possible
    """

    shape: Literal["constant", "lognormal", "exponential", "triangular", "empirical", "unbound"]
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
        """Mean of the draws before rounding."""
        return self._times_e_to(self.sigma**2 / 2)

    def quantile(self, p: float) -> float:
        """Quantile of the draws before rounding; `p` is from 0 to 1.

        The quantile of an empirical estimate of n values is the value at index ⌊p·n⌋, so that a uniform `p` draws each
        value equally often.
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
        from statistics import NormalDist  # slow to import, and rarely needed

        return self._times_e_to(self.sigma * NormalDist().inv_cdf(p))

    def _times_e_to(self, exponent: float) -> float:
        if exponent < MOST_EXPONENT:
            return self.scale * math.exp(exponent)
        return math.exp(min(math.log(self.scale) + exponent, MOST_EXPONENT))

    def times(self, factor: float) -> Estimate:
        """Return the estimate of a quantity `factor` times as large."""
        return replace(self, scale=self.scale * factor, points=tuple(factor * point for point in self.points))

    def bind(self, values: Mapping[str, float], model: str | None) -> Estimate:
        """Return the estimate for these parameters and this model. Only an `UnboundEstimate` depends on them.

        values : values of the parameters, and of `agents`
        model : model of the step's requests; None if the step makes no requests

        Raises `BadValueError` if the result is out of bounds or the model has no estimate.
        """
        return self

    def __str__(self) -> str:
        return self.text


def constant(value: float) -> Estimate:
    """Return an exactly known quantity."""
    return Estimate("constant", value, text=f"{value:g}")


NOTHING = constant(0.0)


def exact(number: float, quantity: Quantity, text: str) -> Estimate:
    """Return an exactly known quantity, rounded if the quantity is whole."""
    number = _rounded(number) if quantity.whole else number
    return Estimate("constant", number, whole=quantity.whole, least=number, text=text)


def _rounded(number: float) -> float:
    """Round `number` half up; the result is at least 1, unless `number` is 0."""
    return max(float(math.floor(number + 0.5)), 1.0 if number else 0.0)


def ranged(a: float, b: float, quantity: Quantity, text: str) -> Estimate:
    """Return the lognormal with 5th percentile a and 95th percentile b, a ≤ b; for a = 0 an exponential."""
    if a == b:
        return exact(a, quantity, text)
    if a == 0:
        return Estimate("exponential", b / LN20, whole=quantity.whole, text=text)
    return lognormal(math.sqrt(a) * math.sqrt(b), (math.log(b) - math.log(a)) / (2 * Z95), quantity, text)


def lognormal(median: float, sigma: float, quantity: Quantity, text: str) -> Estimate:
    """Return a lognormal; `sigma` is the standard deviation of its logarithm."""
    return Estimate("lognormal", median, sigma, quantity.whole, 1.0 if quantity.whole else 0.0, text)


def triangular(low: float, likely: float, high: float, quantity: Quantity, text: str) -> Estimate:
    """Return a triangular distribution: the density rises from `low` to `likely` and falls to `high`."""
    if low == high:
        return exact(low, quantity, text)
    least = 1.0 if quantity.whole and low else 0.0
    mean = low / 3 + likely / 3 + high / 3
    return Estimate("triangular", mean, 0.0, quantity.whole, least, text, (low, likely, high))


def empirical(numbers: Sequence[float], quantity: Quantity, text: str) -> Estimate:
    """Return the distribution in which all `numbers` are equally likely. There must be at least one number."""
    points = sorted(map(_rounded, numbers)) if quantity.whole else sorted(numbers)
    if points[0] == points[-1]:
        return exact(points[0], quantity, text)
    least = 1.0 if quantity.whole and points[0] else 0.0
    mean = math.fsum(point / len(points) for point in points)
    return Estimate("empirical", mean, 0.0, quantity.whole, least, text, tuple(points))
