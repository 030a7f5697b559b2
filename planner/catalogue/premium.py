"""A hypothetical speed in, its price relative to 1x out.

A power law, fitted to the catalogue's tiers, gives the prices of speeds that no vendor offers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.catalogue.catalogue import Catalogue
    from planner.reading.estimates.estimate import Estimate


MOST_EXPONENT = 10

EXPECTED = f"expected an exponent from 0 to {MOST_EXPONENT}, or a price such as 2.5x=6x"


@dataclass(frozen=True)
class Premium:
    """The assumed prices at speeds that no vendor offers, as a power law.

    The speed 1x is the declared speed. Above 1x, `price = price at 1x * speed ** exponent`. Below 1x, prices are the
    same as at 1x.
    """

    exponent: float

    def __post_init__(self) -> None:
        if not 0 <= self.exponent <= MOST_EXPONENT:
            raise ValueError(EXPECTED)

    @classmethod
    def through(cls, speed: float, price: float) -> Premium:
        """Return the power law that passes through a given point, such as a price of 6x at a speed of 2.5x.

        speed : speed of the point, relative to 1x
        price : price of the point, relative to the price at 1x

        Raises ValueError if `speed` is at most 1 or `price` is below 1.
        """
        if not (speed > 1 and price >= 1):
            raise ValueError("expected a speed above 1x and a price of at least 1x, for example 2.5x=6x")
        return cls(math.log(price) / math.log(speed))

    def of(self, speed: float) -> float:
        """Return the price at a speed, divided by the price at 1x."""
        return float(max(1.0, speed) ** self.exponent)


FITTED = Premium(0.97)
"""Power law that fits the built-in tiers best. Retired tiers are included, so that the exponent does not depend on the
date. A test compares the exponent with the result of `fitted`."""


@dataclass(frozen=True)
class Tier:
    """A profile that is a faster version of another profile, called its base.

    speed : `output speed of the profile / output speed of the base`. For a range such as `2x to 2.5x`, this is the
        upper end, because vendors claim the upper end
    price : `output price of the profile / output price of the base`
    """

    name: str
    speed: float
    price: float


def tiers(catalogue: Catalogue) -> Iterator[Tier]:
    """Yield the profiles of a catalogue that are faster versions of another profile.

    Profiles of unknown speed or price are left out.
    """
    for name in catalogue.names:
        declared = catalogue.declared[name]
        if declared.based_on is None or declared.speed is None:
            continue
        price, base = catalogue.profile(name).price, catalogue.profile(declared.based_on).price
        if price is not None and base is not None and base.output:
            yield Tier(name, upper_end(declared.speed), float(price.output / base.output))


def upper_end(factor: Estimate) -> float:
    """Return the upper end of an estimated factor, such as 2.5 for `2x to 2.5x`. Of several values, it is the largest.

    A vendor claims the upper end of the factor on the speed of a tier.
    """
    return factor.points[-1] if factor.points else factor.quantile(0.95)


def fitted(measured: Sequence[Tier]) -> float:
    """Return the exponent of the power law `price = speed ** exponent` that fits several tiers best.

    The fit minimises the squared errors of `log(price)`.
    """
    logs = [(math.log(tier.speed), math.log(tier.price)) for tier in measured]
    return sum(x * y for x, y in logs) / sum(x * x for x, _ in logs)
