"""The catalogue and counts of tokens as rows, plain data and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from planner.catalogue.catalogue import STALE, Catalogue
from planner.catalogue.profile import Profile
from planner.reading.estimates.curves import Curve
from planner.reading.estimates.estimate import Estimate
from planner.tokens.counting import Tally, Tokens
from planner.tokens.text_kind import KINDS, MEASURED, SOURCES, ratios


@dataclass(frozen=True)
class ModelRow:
    """A profile as one row of a list.

    speed : median tokens/s of one request, at the lowest concurrency of a curve
    slowest : 5th percentile of `speed`
    ttft : median seconds, at the same concurrency
    input, output, per_hour : US dollars per million tokens, or per hour; None: unknown
    oldest : age of its oldest number in days; None: no number has a date
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
        """Price per hour, or else of output tokens; None: unknown."""
        return self.output if self.per_hour is None else self.per_hour


def model_rows(catalogue: Catalogue) -> list[ModelRow]:
    """Rows of all profiles."""
    return [model_row(catalogue, name) for name in catalogue.names]


def model_row(catalogue: Catalogue, name: str) -> ModelRow:
    """Row of one profile. Raises InputError for an unknown name."""
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
    """Tokens/s: a number, a range, or the number at the lowest concurrency of a curve."""
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
    """Rows that meet all limits, sorted by name, speed or price.

    min_speed : tokens/s, compared with the 5th percentile
    max_price : US dollars per million output tokens or per hour; rows with an unknown price are left out
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


def models_data(catalogue: Catalogue, rows: Sequence[ModelRow]) -> list[dict[str, Any]]:
    """Rows as plain data: seconds, tokens/s, US dollars per million tokens or per hour."""
    return [
        {**asdict(row), "stale": row.oldest is not None and row.oldest > STALE, "caveats": catalogue.caveats(row.name)}
        for row in rows
    ]


def models_json(catalogue: Catalogue, rows: Sequence[ModelRow]) -> str:
    """`models_data` as JSON."""
    return json.dumps(models_data(catalogue, rows), indent=2, ensure_ascii=False) + "\n"


def model_json(catalogue: Catalogue, name: str) -> str:
    """One profile as JSON, with every number's source. Raises InputError for an unknown name."""
    row = model_row(catalogue, name)
    facts = {
        key: {
            field: str(value) if field in ("as_of", "retired_on") and value else value
            for field, value in asdict(fact).items()
        }
        for key, fact in catalogue.facts(name).items()
    }
    data = {**asdict(row), "facts": facts, "caveats": catalogue.caveats(name)}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def tokens_json(tally: Tally) -> str:
    """Counts and unrounded estimates, with all ratios and their sources."""
    data = {
        "encoding": tally.encoding,
        "approximate": tally.total.approximate,
        "files": [{"file": count.file, "kind": count.kind, **_numbers(count)} for count in tally.files],
        "total": _numbers(tally.total),
        "ratios": {
            "measured": MEASURED,
            "sources": SOURCES,
            "by_kind": {
                kind: {
                    name: {"low": ratio.low, "high": ratio.high} for name, ratio in ratios(kind, tally.encoding).items()
                }
                for kind in KINDS
            },
        },
        "notes": list(tally.notes),
    }
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _numbers(count: Tokens) -> dict[str, Any]:
    return {
        "tokens": count.tokens,
        "approximate": count.approximate,
        "characters": count.characters,
        "estimates": {
            name: {"tokens": spread.tokens, "low": spread.low, "high": spread.high}
            for name, spread in count.others.items()
        },
    }
