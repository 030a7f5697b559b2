"""The base class of declarations and the types of their fields: declared values in, parsed values out."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError, core_schema

from planner.reading import units
from planner.reading.estimates import counts
from planner.reading.estimates.context import FileContext
from planner.reading.estimates.curves import Curve, is_curve, parse_curve
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import UnboundEstimate, parse_estimate
from planner.reading.hints import NUMBER
from planner.reading.pay import Pay, pay
from planner.reading.units import BadValueError


class Declared(BaseModel):
    """Base class of declarations in YAML files. Unknown keys are mistakes, and instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    example: ClassVar[str]
    """A short example of the declaration, for hints."""


def validation_error(mistake: BadValueError, **more: Any) -> PydanticCustomError:
    """Return the pydantic exception for a mistake.

    more : further entries for the context of the exception
    """
    context = {"message": str(mistake), "hint": mistake.hint, "at": mistake.at, "on_key": mistake.on_key, **more}
    return PydanticCustomError(mistake.code, "{message}", context)


class ParsedBy:
    """Annotation of a pydantic field. The function `parse` converts the declared value.

    `parse` may raise `BadValueError`. With this annotation, pydantic derives no schema from the type of the field. This
    saves tens of milliseconds at start-up.
    """

    def __init__(self, parse: Callable[[Any], Any]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def check(self, value: Any) -> Any:
        try:
            return self.parse(value)
        except BadValueError as mistake:
            raise validation_error(mistake) from None


class ParsedInFile:
    """Annotation of a pydantic field. The function `parse` converts the declared value.

    `parse` takes two arguments: the value and its `FileContext`. It may raise `BadValueError`.
    """

    def __init__(self, parse: Callable[[Any, FileContext], Any]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.check)

    def check(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        try:
            return self.parse(value, FileContext(**(info.context or {})))
        except BadValueError as mistake:
            raise validation_error(mistake) from None


def _estimate(quantity: units.Quantity) -> Any:
    return ParsedInFile(lambda value, context: parse_estimate(value, quantity, context))


def _profile_estimate(quantity: units.Quantity) -> Any:
    """Return the pydantic annotation for an estimate in a profile.

    Such an estimate cannot depend on parameters or models, because all steps share the profile.
    """

    def parse(value: Any, context: FileContext) -> Estimate:
        estimate = parse_estimate(value, quantity, context)
        if isinstance(estimate, UnboundEstimate):
            message = "a profile cannot contain an expression or 'by_model', because all steps share the profile"
            raise BadValueError(message, f"write {quantity.expected.removeprefix('expected ')}")
        return estimate

    return ParsedInFile(parse)


def _curve_or_estimate(quantity: units.Quantity) -> Any:
    """Return the pydantic annotation for either an estimate or a curve in a profile.

    A curve is a mapping from numbers of concurrent requests to values.
    """
    estimate = _profile_estimate(quantity)
    return ParsedInFile(
        lambda value, context: parse_curve(value, quantity) if is_curve(value) else estimate.parse(value, context)
    )


def _multiple(value: Any, context: FileContext) -> Estimate:
    """Parse a factor on a speed: a number such as `2.5x`, or an estimate such as `1.2x to 2.5x`.

    A range needs an `x`, because a range without it looks like tokens per second.
    """
    bare = (
        re.fullmatch(rf"\s*({NUMBER})(?:\s+to\s+|\s*[-–—]\s*)({NUMBER})\s*", value) if isinstance(value, str) else None
    )
    if bare:
        low, high = bare.groups()
        raise BadValueError(
            "write the factors of a range with an x",
            f"write {low}x to {high}x; tokens per second belong in 'output_speed'",
        )
    estimate: Estimate = _MULTIPLE.parse(value, context)
    return estimate


_MULTIPLE = _profile_estimate(units.MULTIPLE)


Duration = Annotated[Estimate, _estimate(units.DURATION)]
Tokens = Annotated[Estimate, _estimate(units.TOKENS)]
Turns = Annotated[Estimate, _estimate(units.TURNS)]
Calls = Annotated[Estimate, _estimate(units.CALLS)]
Latency = Annotated[Estimate | Curve, _curve_or_estimate(units.DURATION)]
Rate = Annotated[Estimate, _profile_estimate(units.RATE)]
Speed = Annotated[Estimate | Curve, _curve_or_estimate(units.RATE)]
MeanOutput = Annotated[float, ParsedBy(lambda value: units.OUTPUT.bounded(units.OUTPUT.parse(value)))]
Seconds = Annotated[float, ParsedBy(units.duration)]
Factor = Annotated[float, ParsedBy(units.factor)]
Multiple = Annotated[Estimate, ParsedInFile(_multiple)]
Number = Annotated[float, ParsedBy(units.count)]
Context = Annotated[float, ParsedBy(units.context)]
LogSd = Annotated[float, ParsedBy(units.log_sd)]
Size = Annotated[Estimate, _estimate(units.SIZE)]
Widening = Annotated[float, ParsedBy(units.widening)]
Chance = Annotated[float, ParsedBy(units.chance)]
Usd = Annotated[Decimal, ParsedBy(units.money)]
UsdPerHour = Annotated[Decimal, ParsedBy(units.money_per_hour)]
PayValue = Annotated[Pay, ParsedBy(pay)]

MOST_ITEMS = counts.MOST_ITEMS
MOST_AGENTS = counts.MOST_AGENTS

Count = Annotated[
    counts.CountValue, ParsedInFile(lambda value, context: counts.parse_count(value, MOST_ITEMS, context))
]
Agents = Annotated[
    counts.CountValue,
    ParsedInFile(lambda value, context: counts.parse_count(value, MOST_AGENTS, context, agents=False)),
]
ItemCount = Annotated[counts.ItemCountValue, ParsedInFile(counts.parse_item_count)]


def as_text(value: Any) -> str:
    """Return a text unchanged. Raises `BadValueError` for any other value."""
    if isinstance(value, str):
        return value
    kind = "list" if isinstance(value, list) else "mapping" if isinstance(value, dict) else None
    if kind:
        raise BadValueError(f"expected text, not a {kind}")
    kind = (
        f"the value {str(value).lower()}"
        if isinstance(value, bool)
        else "a number"
        if units.is_number(value)
        else "nothing"
    )
    raise BadValueError(f"expected text, not {kind}", "put the value in quotes")


def _name(value: Any) -> str:
    if not as_text(value).strip():
        raise BadValueError("a name cannot be empty")
    return str(value)


Text = Annotated[str, ParsedBy(as_text)]
Name = Annotated[str, ParsedBy(_name)]


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    synonyms = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    likely = synonyms.get(value.lower(), value.lower()) if isinstance(value, str) else None
    if likely not in ("true", "false"):
        raise BadValueError("expected true or false")
    quoted = value.lower() == likely
    raise BadValueError(
        "expected true or false", f"write {likely} {'without quotes' if quoted else f'instead of {value}'}"
    )


Flag = Annotated[bool, ParsedBy(_flag)]


def require_mapping(value: Any) -> Any:
    """Return `value` if it is a mapping or a pydantic model.

    Raises `PydanticCustomError` if `value` is anything else.
    """
    if not isinstance(value, dict) and not isinstance(value, BaseModel):
        raise validation_error(BadValueError("expected a mapping of keys to values"), wrong_shape=True)
    return value


MappingField = BeforeValidator(require_mapping)
