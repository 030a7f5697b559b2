"""Declarations of a catalogue file. Profiles and the provenance of their numbers are declared separately."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar

from planner.errors import listed
from planner.reading.fields import (
    Declared,
    Flag,
    MappingField,
    ParsedBy,
    Text,
)
from planner.reading.profiles import PriceDeclaration, ProfileDeclaration
from planner.reading.units import BadValueError

KINDS = ("measured", "vendor claim", "estimate")

NUMBERS = (
    "ttft",
    "prefill_speed",
    "output_speed",
    "measured_output",
    "jitter",
    "price",
    "context",
    "cache_ttl",
    "speed",
    "price_multiplier",
    "tokens",
)
"""Keys of a profile whose values are numbers. These numbers may have sources."""


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadValueError("expected a day, such as 2026-11-21") from None


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise BadValueError(f"expected {listed(KINDS, 'or')}")
    return str(value)


Day = Annotated[date, ParsedBy(_day)]


class SourceDeclaration(Declared):
    """A source of numbers, such as a price list.

    as_of : day on which the numbers hold
    verified : how the numbers were checked
    """

    example: ClassVar[str] = "{title: Price list of ACME, as_of: 2026-11-21}"

    title: Text
    as_of: Day
    verified: Text | None = None
    url: Text | None = None


class FactDeclaration(Declared):
    """Provenance of one number.

    source : name of a source in the same catalogue, or the title of any other source
    as_of : day on which the number holds; None: the day of the source
    kind : one of `KINDS`
    conditions : conditions under which the number was measured, claimed or estimated
    up_to : whether the number is an upper limit, as in "up to 2.5x"
    retired_on : for the key `available`, the day from which the profile is retired
    holds_from : for the key `price`, the first day on which the price holds. For the key `available`, the first day on
        which the profile is sold
    holds_until : for the key `price`, the first day on which the price no longer holds
    """

    example: ClassVar[str] = "{value: 1.5s, source: my-benchmark, kind: measured}"

    source: Text | None = None
    as_of: Day | None = None
    kind: Annotated[str, ParsedBy(_kind)] | None = None
    conditions: Text | None = None
    up_to: Flag | None = None
    retired_on: Day | None = None
    holds_from: Day | None = None
    holds_until: Day | None = None


Prices = Annotated[dict[str, Annotated[PriceDeclaration, MappingField]], MappingField]
Profiles = Annotated[dict[str, Annotated[ProfileDeclaration, MappingField]], MappingField]


class ProfilesDeclaration(Declared):
    """The profiles in a catalogue file, without the provenance of their numbers.

    models : profiles by name
    prices : for each profile, a dict of its prices by their index in the profile's list of prices
    """

    example: ClassVar[str] = "profiles: {a-name: {ttft: 1.5s, output_speed: 60}}"

    models: Profiles = {}
    prices: dict[str, Prices] = {}


class FactsDeclaration(Declared):
    """The sources in a catalogue file, and the provenance of its numbers.

    sources : sources by name
    facts : name of a profile → key of a number → provenance of this number. ``price 0`` is the key of the first price
        in a list
    """

    example: ClassVar[str] = ProfilesDeclaration.example

    sources: Annotated[dict[str, Annotated[SourceDeclaration, MappingField]], MappingField] = {}
    facts: dict[str, dict[str, Annotated[FactDeclaration, MappingField]]] = {}


def is_fact(value: Any) -> bool:
    """Return whether a value is written with its provenance."""
    return isinstance(value, dict) and ("value" in value or not FactDeclaration.model_fields.keys().isdisjoint(value))


def refers_to_table(key: str, value: Any) -> bool:
    """Return whether a value refers to the price table."""
    return key == "price" and isinstance(value, dict) and "table" in value
