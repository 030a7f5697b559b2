"""The format of a catalogue file: numbers that say where they come from, taken apart into a profile and its facts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar

from planner.reading.profiles import ProfileDeclaration
from planner.reading.units import BadValueError
from planner.reading.validation import (
    Declared,
    Flag,
    MappingField,
    ParsedBy,
    Text,
)

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
"""What of a profile is a number."""


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadValueError("expected a day, such as 2026-11-21") from None


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise BadValueError(f"expected one of {', '.join(KINDS)}")
    return str(value)


Day = Annotated[date, ParsedBy(_day)]


class SourceDeclaration(Declared):
    """Where numbers come from.

    as_of : the day they hold for
    verified : how they were checked
    """

    example: ClassVar[str] = "{title: Price list of ACME, as_of: 2026-11-21}"

    title: Text
    as_of: Day
    verified: Text | None = None
    url: Text | None = None


class FactDeclaration(Declared):
    """What a catalogue says about one number, beside its value.

    source : the name of a source, or its title
    as_of : the day the number holds for, if not that of the source
    conditions : under which it was measured, is claimed or was estimated
    up_to : the most that is claimed ("up to 2.5x")
    retired_on : of `available`: the last day on which it is sold
    """

    example: ClassVar[str] = "{value: 1.5s, source: my-benchmark, kind: measured}"

    source: Text | None = None
    as_of: Day | None = None
    kind: Annotated[str, ParsedBy(_kind)] | None = None
    conditions: Text | None = None
    up_to: Flag | None = None
    retired_on: Day | None = None


Profiles = Annotated[dict[str, Annotated[ProfileDeclaration, MappingField]], MappingField]


class ProfilesDeclaration(Declared):
    """The profiles of a catalogue file, without their facts."""

    example: ClassVar[str] = "profiles: {a-name: {ttft: 1.5s, output_speed: 60}}"

    models: Profiles = {}


class FactsDeclaration(Declared):
    """The facts of a catalogue file, by profile and key, and its sources."""

    example: ClassVar[str] = ProfilesDeclaration.example

    sources: Annotated[dict[str, Annotated[SourceDeclaration, MappingField]], MappingField] = {}
    facts: dict[str, dict[str, Annotated[FactDeclaration, MappingField]]] = {}


def is_fact(value: Any) -> bool:
    """Whether a value comes with where it comes from."""
    return isinstance(value, dict) and ("value" in value or not FactDeclaration.model_fields.keys().isdisjoint(value))


def is_listed(key: str, value: Any) -> bool:
    """Whether it is a price that the table of prices has."""
    return key == "price" and isinstance(value, dict) and "table" in value
