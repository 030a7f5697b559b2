"""Estimates of quantities: constants, or distributions from which each occurrence draws its own value.

See docs/model.md, "Estimates".
"""

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
    """Estimate of a quantity: a constant, or a distribution from which values are drawn.

    shape : kind of distribution; ``unbound`` if the distribution depends on parameters, agents or the model
    scale : the constant, the median of a lognormal, or the mean of any other distribution. The unit is seconds, tokens
        or tokens/s
    sigma : standard deviation of a lognormal's logarithm; 0 for any other shape
    whole : whether draws are rounded to whole numbers. Halves are rounded up
    least : smallest possible draw
    text : the estimate as declared
    points : values in ascending order. A triangular distribution has its low, likely and high value, and an empirical
        distribution has all its values
    counted : whether the estimate is the length of a text in tokens of the tokenizer o200k_base
    own : whether the estimate was declared separately for the model (see `ByModel`). A number of tokens is then in
        tokens of the model's tokenizer
    approximate : whether the number of tokens of the text was estimated from its number of characters
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
        """Mean of the estimate's distribution, before draws are rounded."""
        return self._times_e_to(self.sigma**2 / 2)

    def quantile(self, p: float) -> float:
        """Return the quantile `p` of the estimate's distribution, before draws are rounded. `p` is from 0 to 1.

        For example, an empirical distribution with 4 values has the quantile `points[floor(4 * p)]`.
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
        """Return the estimate with all its values multiplied by `factor`."""
        return replace(self, scale=self.scale * factor, points=tuple(factor * point for point in self.points))

    def bind(self, values: Mapping[str, float], model: str | None) -> Estimate:
        """Return the estimate for certain parameters and a certain model.

        Only an `UnboundEstimate` depends on them. Any other estimate is returned unchanged.

        values : value of each parameter, and the number of agents under the name `agents`
        model : model of the step's requests; None if the step makes no requests

        Raises `BadValueError` if the result is out of bounds, or if there is no estimate for the model.
        """
        return self

    def __str__(self) -> str:
        return self.text


def constant(value: float) -> Estimate:
    """Return a constant estimate with this value."""
    return Estimate("constant", value, text=f"{value:g}")


NOTHING = constant(0.0)


def exact(number: float, quantity: Quantity, text: str) -> Estimate:
    """Return a constant estimate. The number is rounded if the quantity must be a whole number.

    text : the estimate as declared
    """
    number = _rounded(number) if quantity.whole else number
    return Estimate("constant", number, whole=quantity.whole, least=number, text=text)


def _rounded(number: float) -> float:
    """Round `number` to a whole number. Halves are rounded up.

    The result is at least 1, except that 0 remains 0.
    """
    return max(float(math.floor(number + 0.5)), 1.0 if number else 0.0)


def ranged(a: float, b: float, quantity: Quantity, text: str) -> Estimate:
    """Return the distribution for the range from `a` to `b`, where `a` is at most `b`.

    - If `a` and `b` are equal, the distribution is a constant.
    - If `a` is 0, the distribution is an exponential with 95th percentile `b`.
    - Otherwise, the distribution is a lognormal with 5th percentile `a` and 95th percentile `b`.
    """
    if a == b:
        return exact(a, quantity, text)
    if a == 0:
        return Estimate("exponential", b / LN20, whole=quantity.whole, text=text)
    return lognormal(math.sqrt(a) * math.sqrt(b), (math.log(b) - math.log(a)) / (2 * Z95), quantity, text)


def lognormal(median: float, sigma: float, quantity: Quantity, text: str) -> Estimate:
    """Return a lognormal distribution.

    sigma : standard deviation of the distribution's logarithm
    """
    return Estimate("lognormal", median, sigma, quantity.whole, 1.0 if quantity.whole else 0.0, text)


def triangular(low: float, likely: float, high: float, quantity: Quantity, text: str) -> Estimate:
    """Return a triangular distribution from `low` to `high`, with the highest density at `likely`."""
    if low == high:
        return exact(low, quantity, text)
    least = 1.0 if quantity.whole and low else 0.0
    mean = low / 3 + likely / 3 + high / 3
    return Estimate("triangular", mean, 0.0, quantity.whole, least, text, (low, likely, high))


def empirical(numbers: Sequence[float], quantity: Quantity, text: str) -> Estimate:
    """Return a distribution in which all `numbers` are equally likely. There must be at least one number."""
    points = sorted(map(_rounded, numbers)) if quantity.whole else sorted(numbers)
    if points[0] == points[-1]:
        return exact(points[0], quantity, text)
    least = 1.0 if quantity.whole and points[0] else 0.0
    mean = math.fsum(point / len(points) for point in points)
    return Estimate("empirical", mean, 0.0, quantity.whole, least, text, tuple(points))
