"""List the profiles of a catalogue, with one row for each profile. Select and sort the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.catalogue.catalogue import Catalogue
from planner.catalogue.profile import Profile
from planner.reading.estimates.curves import Curve
from planner.reading.estimates.estimate import Estimate

_GRID = 200
"""Number of quantiles that approximate a distribution in a product of distributions."""


@dataclass(frozen=True)
class ModelRow:
    """A profile as one row of a list.

    A value that depends on concurrency is shown for the lowest measured concurrency.

    speed : median output speed of one request, in tokens/s
    slowest : 5th percentile of the output speed, in tokens/s
    speed_text : output speed in tokens/s as text, such as `50`, `40 to 60`, or `55 at 1` for concurrency 1
    ttft : median time to the first token, in seconds
    input, output : US dollars per million tokens; None if unknown or paid per hour
    per_hour : US dollars per hour; None if unknown or paid per token
    oldest : age of the profile's oldest number in days; None if no number has a date
    """

    name: str
    provider: str | None
    available: str | None
    speed: float
    slowest: float
    speed_text: str
    ttft: float
    input: float | None
    output: float | None
    per_hour: float | None
    oldest: int | None

    @property
    def usd(self) -> float | None:
        """Price of the model in US dollars: per hour, or per million output tokens. None if the price is unknown."""
        return self.output if self.per_hour is None else self.per_hour


def model_rows(catalogue: Catalogue) -> list[ModelRow]:
    """Return one row for each profile of a catalogue."""
    return [model_row(catalogue, name) for name in catalogue.names]


def model_row(catalogue: Catalogue, name: str) -> ModelRow:
    """Return the row of the profile `name`. Raises InputError for an unknown name."""
    profile, declared = catalogue.profile(name), catalogue.declared[name]
    alone = profile.at(1)
    assert isinstance(alone.ttft, Estimate)
    speed = effective_speed(alone)
    price = profile.price
    tokens = price is not None and price.per_hour is None
    ages = [age for fact in catalogue.facts(name).values() if (age := fact.age(catalogue.today)) is not None]
    return ModelRow(
        name,
        declared.provider,
        declared.available,
        speed(0.5),
        speed(0.05),
        _speed(profile),
        alone.ttft.quantile(0.5),
        float(price.input) if price and tokens else None,
        float(price.output) if price and tokens else None,
        float(price.per_hour) if price and price.per_hour is not None else None,
        max(ages, default=None),
    )


def _speed(profile: Profile) -> str:
    """Format a profile's output speed in tokens/s, such as `50` or `40 to 60`.

    A curve is shown at its lowest concurrency. For example, `55 at 1` is the speed at concurrency 1.
    """
    curve = profile.output_speed
    lowest = curve.points[0][0] if isinstance(curve, Curve) else None
    speed = effective_speed(profile.at(lowest or 1))
    low, high = speed(0.05), speed(0.95)
    text = f"{_digits(low)} to {_digits(high)}" if high > low else _digits(low)
    return text if lowest is None else f"{text} at {lowest}"


def effective_speed(profile: Profile) -> Callable[[float], float]:
    """Return the quantile function of a profile's output speed in tokens/s, including its random factors.

    The speed and its factors are independent. Their product is approximate if several of them vary and are not all
    lognormal.

    The profile's output speed must be an estimate, not a curve by concurrency. `Profile.at` returns such a profile.
    """
    assert isinstance(profile.output_speed, Estimate)
    parts = (profile.output_speed, *(factor.estimate for factor in profile.factors))
    varying = [part for part in parts if part.varies]
    fixed = math.prod(part.scale for part in parts if not part.varies)
    if len(varying) <= 1:
        return lambda p: fixed * (varying[0].quantile(p) if varying else 1.0)
    if all(part.shape == "lognormal" for part in varying):
        median = math.prod((part.scale for part in varying), start=fixed)
        product = replace(varying[0], scale=median, sigma=math.hypot(*(part.sigma for part in varying)))
        return product.quantile
    values = [fixed]
    for part in varying:
        quantiles = [part.quantile((index + 0.5) / _GRID) for index in range(_GRID)]
        products = sorted(value * quantile for value in values for quantile in quantiles)
        step = max(len(products) // _GRID, 1)
        values = products[step // 2 :: step]
    return lambda p: values[min(int(p * len(values)), len(values) - 1)]


def _digits(speed: float) -> str:
    return f"{speed:.3g}" if speed < 999.5 else f"{speed:.0f}"


def select_models(
    rows: Sequence[ModelRow],
    sort: str = "name",
    min_speed: float | None = None,
    max_price: float | None = None,
    available: str | None = None,
) -> list[ModelRow]:
    """Return the rows that are within all limits, in sorted order.

    sort : ``name``, ``speed`` or ``price``
    min_speed : least tokens/s, compared with `ModelRow.slowest`; None: no limit
    max_price : highest price in US dollars, compared with `ModelRow.usd`; None: no limit. Any limit excludes rows of
        unknown price
    available : availability of the models, such as ``general``; None: any
    """
    selected = [
        row
        for row in rows
        if (min_speed is None or row.slowest >= min_speed)
        and (max_price is None or (row.usd is not None and row.usd <= max_price))
        and (available is None or row.available == available)
    ]
    keys: dict[str, Any] = {
        "name": lambda row: row.name,
        "speed": lambda row: (-row.speed, row.name),
        "price": lambda row: (row.usd is None, row.per_hour is not None, row.usd, row.name),
    }
    return sorted(selected, key=keys[sort])
