"""Estimates as declared: a number, `a to b`, or `{p50, p95}` in; a distribution with its parameters out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from planner.reading.units import Quantity

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

    def times(self, factor: float) -> Estimate:
        """The same estimate of a quantity `factor` times as large."""
        return replace(self, scale=self.scale * factor)

    def __str__(self) -> str:
        return self.text


def constant(value: float) -> Estimate:
    return Estimate("constant", value, text=f"{value:g}")


NOTHING = constant(0.0)


def parse_estimate(value: Any, quantity: Quantity) -> Estimate:
    """An estimate of a quantity. Raises ValueError saying what was expected.

    `a to b` are the 5th and 95th percentile of a lognormal: median √(ab), σ = ln(b/a) / (2·1.645). `0 to b` is an
    exponential with 95th percentile b: mean b / ln 20. `{p50, p95}` is a lognormal: σ = ln(p95/p50) / 1.645.
    """
    if isinstance(value, dict):
        return _from_percentiles(value, quantity)
    if isinstance(value, str):
        parts = re.split(r"\s+to\s+", value.strip())
        if len(parts) == 2:
            return _from_range(parts[0], parts[1], quantity)
    if value is None or isinstance(value, bool | list):
        raise ValueError(f"expected a {quantity.name}: a number, '{quantity.example}' or {{p50: …, p95: …}}")
    number = _bound(value, quantity)
    if quantity.whole:
        number = math.floor(number + 0.5)
    return Estimate("constant", number, whole=quantity.whole, least=number, text=str(value))


def _from_range(low: str, high: str, quantity: Quantity) -> Estimate:
    a, b = _bound(low, quantity), _bound(high, quantity)
    text = f"{low} to {high}"
    if b < a:
        raise ValueError(f"'{text}' runs backwards: the lower bound comes first")
    if b == a:
        return parse_estimate(low, quantity)
    if a == 0:
        return Estimate("exponential", b / LN20, whole=quantity.whole, text=text)
    return _lognormal(math.sqrt(a) * math.sqrt(b), math.log(b / a) / (2 * Z95), quantity, text)


def _from_percentiles(value: dict[str, Any], quantity: Quantity) -> Estimate:
    if set(value) != {"p50", "p95"}:
        unknown = sorted(set(value) - {"p50", "p95"})
        raise ValueError(
            f"unknown key '{unknown[0]}': write {{p50: …, p95: …}}" if unknown else "write both p50 and p95"
        )
    p50, p95 = _bound(value["p50"], quantity), _bound(value["p95"], quantity)
    if p95 < p50:
        raise ValueError("p95 is below p50")
    if p50 == 0:
        raise ValueError("p50 must be above 0; for a quantity that is often 0 write '0 to b'")
    if p95 == p50:
        return parse_estimate(value["p50"], quantity)
    return _lognormal(p50, math.log(p95 / p50) / Z95, quantity, f"p50 {value['p50']}, p95 {value['p95']}")


def _lognormal(median: float, sigma: float, quantity: Quantity, text: str) -> Estimate:
    return Estimate("lognormal", median, sigma, quantity.whole, 1.0 if quantity.whole else 0.0, text)


def _bound(value: Any, quantity: Quantity) -> float:
    if value is None or isinstance(value, bool | list | dict):
        raise ValueError(f"expected a {quantity.name}")
    number = quantity.parse(value)
    if not quantity.least <= number <= quantity.most:
        side = f"at least {quantity.least:g}" if number < quantity.least else f"at most {quantity.most:,.0f}"
        raise ValueError(f"must be {side}" + (" seconds" if quantity.name == "time" else ""))
    return number
