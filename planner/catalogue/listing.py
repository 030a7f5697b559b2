"""List the profiles of a catalogue: one row for each profile, and the choice and order of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner.catalogue.catalogue import Catalogue
from planner.catalogue.profile import Profile
from planner.reading.estimates.curves import Curve
from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True)
class ModelRow:
    """A profile as one row of a list. Values that depend on concurrency are those at the lowest measured concurrency.

    speed : median output speed of one request, in tokens/s
    slowest : 5th percentile of the output speed
    speed_text : output speed as a number, a range, or a number and its concurrency
    ttft : median time to first token, in seconds
    input, output : US dollars per million tokens; None: unknown, or paid per hour
    per_hour : US dollars per hour; None: unknown, or paid per token
    oldest : age in days of the oldest number of the profile; None: no number has a date
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
        """US dollars per hour or, for a profile paid per token, per million output tokens. None: unknown."""
        return self.output if self.per_hour is None else self.per_hour


def model_rows(catalogue: Catalogue) -> list[ModelRow]:
    """Return one row for each profile of a catalogue."""
    return [model_row(catalogue, name) for name in catalogue.names]


def model_row(catalogue: Catalogue, name: str) -> ModelRow:
    """Return the row of the profile `name`. Raises InputError for an unknown name."""
    profile, declared = catalogue.profile(name), catalogue.declared[name]
    alone = profile.at(1)
    assert isinstance(alone.output_speed, Estimate)
    assert isinstance(alone.ttft, Estimate)
    price = profile.price
    tokens = price is not None and price.per_hour is None
    ages = [age for fact in catalogue.facts(name).values() if (age := fact.age(catalogue.today)) is not None]
    return ModelRow(
        name,
        declared.provider,
        declared.available,
        alone.output_speed.quantile(0.5),
        alone.output_speed.quantile(0.05),
        _speed(profile),
        alone.ttft.quantile(0.5),
        float(price.input) if price and tokens else None,
        float(price.output) if price and tokens else None,
        float(price.per_hour) if price and price.per_hour is not None else None,
        max(ages, default=None),
    )


def _speed(profile: Profile) -> str:
    """Output speed in tokens/s as a number or a range; of a curve, the number at its lowest concurrency."""
    speed = profile.output_speed
    if isinstance(speed, Curve):
        requests, fastest = speed.points[0]
        return f"{_digits(fastest)} at {requests}"
    low, high = speed.quantile(0.05), speed.quantile(0.95)
    return f"{_digits(low)} to {_digits(high)}" if high > low else _digits(low)


def _digits(speed: float) -> str:
    return f"{speed:.3g}" if speed < 999.5 else f"{speed:.0f}"


def select_models(
    rows: Sequence[ModelRow],
    sort: str = "name",
    min_speed: float | None = None,
    max_price: float | None = None,
    available: str | None = None,
) -> list[ModelRow]:
    """Return the rows that meet all limits, sorted by ``name``, ``speed`` or ``price``.

    min_speed : least tokens/s; compared with `ModelRow.slowest`
    max_price : highest price in US dollars per million output tokens or per hour. A limit excludes unknown prices
    available : availability, such as ``general``; None: any
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
