"""Estimates as declared: a number, `a to b`, or `{p50, p95}` in; a distribution with its parameters out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from planner.reading.units import LONGEST_TEXT, BadValueError, Quantity

Z95 = 1.6448536269514722
"""95th percentile of the standard normal distribution."""

LN20 = math.log(20.0)
"""95th percentile of the exponential distribution with mean 1."""


@dataclass(frozen=True)
class Estimate:
    """A quantity that is known exactly or drawn anew at each occurrence.

    shape : ``constant``, ``lognormal`` or ``exponential``
    scale : the constant; the median of the lognormal; the mean of the exponential. In seconds, tokens or tokens/s.
    sigma : standard deviation of the lognormal's logarithm, else 0
    whole : draws are rounded half up to whole numbers
    least : smallest draw: 1 for whole numbers, unless 0 was written
    text : as declared
    """

    shape: Literal["constant", "lognormal", "exponential"]
    scale: float
    sigma: float = 0.0
    whole: bool = False
    least: float = 0.0
    text: str = ""

    @property
    def varies(self) -> bool:
        return self.shape != "constant"

    @property
    def mean(self) -> float:
        """The mean of its draws before rounding."""
        return self.scale * math.exp(self.sigma**2 / 2)

    def times(self, factor: float) -> Estimate:
        """The same estimate of a quantity `factor` times as large."""
        return replace(self, scale=self.scale * factor)

    def __str__(self) -> str:
        return self.text


def constant(value: float) -> Estimate:
    """A quantity that is known exactly."""
    return Estimate("constant", value, text=f"{value:g}")


NOTHING = constant(0.0)


def parse_estimate(value: Any, quantity: Quantity) -> Estimate:
    """An estimate of a quantity. Raises `BadValueError` saying what was expected.

    `a to b` are the 5th and 95th percentile of a lognormal: median √(ab), σ = ln(b/a) / (2·1.645). `0 to b` is an
    exponential with 95th percentile b: mean b / ln 20. `{p50, p95}` is a lognormal: σ = ln(p95/p50) / 1.645.
    """
    if isinstance(value, dict):
        return _from_percentiles(value, quantity)
    if value is None or isinstance(value, bool | list) or (isinstance(value, str) and len(value) > LONGEST_TEXT):
        raise BadValueError(quantity.expected)
    if isinstance(value, str):
        parts = re.split(r"\s+to\s+", value.strip())
        if len(parts) == 2:
            return _from_range(parts[0], parts[1], quantity)
    number = quantity.bounded(quantity.parse(value))
    if quantity.whole:
        number = max(math.floor(number + 0.5), 1.0 if number else 0.0)
    return Estimate("constant", number, whole=quantity.whole, least=number, text=str(value))


def _from_range(low: str, high: str, quantity: Quantity) -> Estimate:
    a, b = (quantity.bounded(quantity.parse(bound)) for bound in (low, high))
    text = f"{low} to {high}"
    if b < a:
        raise BadValueError(f"'{text}' runs backwards", f"the lower bound comes first: {high} to {low}")
    if b == a:
        return parse_estimate(low, quantity)
    if a == 0:
        return Estimate("exponential", b / LN20, whole=quantity.whole, text=text)
    return _lognormal(math.sqrt(a) * math.sqrt(b), (math.log(b) - math.log(a)) / (2 * Z95), quantity, text)


def _from_percentiles(value: dict[str, Any], quantity: Quantity) -> Estimate:
    unknown = [key for key in value if key not in ("p50", "p95")]
    if unknown:
        hint = f"write {quantity.expected.removeprefix('expected ')}"
        raise BadValueError(f"unknown key '{unknown[0]}'", hint, code="unknown-key", at=(unknown[0],), on_key=True)
    for key in ("p50", "p95"):
        if key not in value:
            raise BadValueError(f"the key '{key}' is missing", "give both p50 and p95", code="missing-key", on_key=True)
    p50, p95 = (_percentile(value[key], key, quantity) for key in ("p50", "p95"))
    if p95 < p50:
        raise BadValueError("p95 is below p50", "of 100 draws 50 are below p50, and 95 are below p95", at=("p95",))
    if p50 == 0:
        raise BadValueError("p50 must be above 0", "for a quantity that is often 0 write '0 to b'", at=("p50",))
    if p95 == p50:
        return parse_estimate(value["p50"], quantity)
    text = f"p50 {value['p50']}, p95 {value['p95']}"
    return _lognormal(p50, (math.log(p95) - math.log(p50)) / Z95, quantity, text)


def _percentile(value: Any, key: str, quantity: Quantity) -> float:
    try:
        return quantity.bounded(quantity.parse(value))
    except BadValueError as mistake:
        raise BadValueError(str(mistake), mistake.hint, at=(key,)) from None


def _lognormal(median: float, sigma: float, quantity: Quantity, text: str) -> Estimate:
    return Estimate("lognormal", median, sigma, quantity.whole, 1.0 if quantity.whole else 0.0, text)
