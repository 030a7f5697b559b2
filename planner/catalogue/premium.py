"""What a speed costs that nobody sells: a law of prices, fitted on the tiers of the catalogue."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.catalogue.catalogue import Catalogue


MOST_EXPONENT = 10

EXPECTED = f"expected an exponent from 0 to {MOST_EXPONENT}, or a price such as 2.5x=6x"


@dataclass(frozen=True)
class Premium:
    """Every price at speed s is s^exponent times the price at 1x; a speed below 1x costs what 1x costs."""

    exponent: float

    def __post_init__(self) -> None:
        if not 0 <= self.exponent <= MOST_EXPONENT:
            raise ValueError(EXPECTED)

    @classmethod
    def through(cls, speed: float, price: float) -> Premium:
        """The law by which `speed` costs `price` times as much. Raises ValueError unless speed > 1 and price ≥ 1."""
        if not (speed > 1 and price >= 1):
            raise ValueError("expected a speed above 1x and a price of at least 1x, as in 2.5x=6x")
        return cls(math.log(price) / math.log(speed))

    def of(self, speed: float) -> float:
        """How many times the price at 1x."""
        return float(max(1.0, speed) ** self.exponent)


FITTED = Premium(1.11)
"""Least squares through the origin in logarithms over the tiers that come with the planner, withdrawn ones included, so
that it does not change from day to day. A test holds it against `fitted`."""


@dataclass(frozen=True)
class Tier:
    """A profile that is a faster edition of another: how many times its output speed, and its price for output."""

    name: str
    speed: float
    price: float


def tiers(catalogue: Catalogue) -> Iterator[Tier]:
    """The tiers whose speed and price are both known."""
    for name in catalogue.names:
        declared = catalogue.declared[name]
        if declared.based_on is None or declared.speed is None:
            continue
        price, base = catalogue.profile(name).price, catalogue.profile(declared.based_on).price
        if price is not None and base is not None and base.output:
            yield Tier(name, declared.speed, float(price.output / base.output))


def fitted(of: Sequence[Tier]) -> float:
    """The exponent that fits tiers best: Σ ln speed · ln price / Σ (ln speed)²."""
    logs = [(math.log(tier.speed), math.log(tier.price)) for tier in of]
    return sum(x * y for x, y in logs) / sum(x * x for x, _ in logs)
