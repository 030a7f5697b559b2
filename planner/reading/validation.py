"""Pydantic's findings in, problems with positions out; and the field types that declarations are made of."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from planner.errors import (
    MOST,
    Problem,
    did_you_mean,
    nearest,
)
from planner.reading import units
from planner.reading.estimates import counts
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.context import FileContext, context_of
from planner.reading.estimates.curves import Curve, is_curve, parse_curve
from planner.reading.estimates.estimate import Estimate, Open, parse_estimate
from planner.reading.units import BadValueError
from planner.reading.yaml.source_map import Document, KeyPath


class Declared(BaseModel):
    """What a user declares: unknown keys are mistakes, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    example: ClassVar[str]
    """How the shortest one is written."""


Model = TypeVar("Model", bound=Declared)


def raised(mistake: BadValueError, **more: Any) -> PydanticCustomError:
    """A mistake as a validator raises it."""
    context = {"message": str(mistake), "hint": mistake.hint, "at": mistake.at, "on_key": mistake.on_key, **more}
    return PydanticCustomError(mistake.code, "{message}", context)


class Parsed:
    """A field whose value is what `parse` makes of it; its `BadValueError` is the user's to read.

    Nothing is derived from the field's type: for a dataclass that would cost tens of milliseconds at every start.
    """

    def __init__(self, parse: Callable[[Any], Any]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def check(self, value: Any) -> Any:
        try:
            return self.parse(value)
        except BadValueError as mistake:
            raise raised(mistake) from None


class ParsedHere:
    """A field like `Parsed`, whose `parse` is also given what stands around the value."""

    def __init__(self, parse: Callable[[Any, FileContext], Any]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.check)

    def check(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        try:
            return self.parse(value, FileContext(**(info.context or {})))
        except BadValueError as mistake:
            raise raised(mistake) from None


def _estimate(quantity: units.Quantity) -> Any:
    return ParsedHere(lambda value, around: parse_estimate(value, quantity, around))


def _level(quantity: units.Quantity) -> Any:
    """An estimate in a profile, which is one and the same for all steps."""

    def parse(value: Any, around: FileContext) -> Estimate:
        estimate = parse_estimate(value, quantity, around)
        if isinstance(estimate, Open):
            message = "a profile is the same for all steps, and takes neither arithmetic nor by_model"
            raise BadValueError(message, f"write {quantity.expected.removeprefix('expected ')}")
        return estimate

    return ParsedHere(parse)


def _served(quantity: units.Quantity) -> Any:
    """A level, or numbers by concurrency."""
    level = _level(quantity)
    return ParsedHere(
        lambda value, around: parse_curve(value, quantity) if is_curve(value) else level.parse(value, around)
    )


Duration = Annotated[Estimate, _estimate(units.DURATION)]
Tokens = Annotated[Estimate, _estimate(units.TOKENS)]
Turns = Annotated[Estimate, _estimate(units.TURNS)]
Calls = Annotated[Estimate, _estimate(units.CALLS)]
Latency = Annotated[Estimate | Curve, _served(units.DURATION)]
Rate = Annotated[Estimate, _level(units.RATE)]
Speed = Annotated[Estimate | Curve, _served(units.RATE)]
MeanOutput = Annotated[float, Parsed(lambda value: units.OUTPUT.bounded(units.OUTPUT.parse(value)))]
Seconds = Annotated[float, Parsed(units.duration)]
Factor = Annotated[float, Parsed(units.factor)]
Number = Annotated[float, Parsed(units.count)]
Context = Annotated[float, Parsed(units.context)]
LogSd = Annotated[float, Parsed(units.log_sd)]
Size = Annotated[Estimate, _estimate(units.SIZE)]
Widening = Annotated[float, Parsed(units.widening)]
Chance = Annotated[float, Parsed(units.chance)]
Usd = Annotated[Decimal, Parsed(units.money)]

MOST_ITEMS = counts.MOST_ITEMS
MOST_AGENTS = counts.MOST_AGENTS

Count = Annotated[counts.CountValue, ParsedHere(lambda value, around: counts.parse_count(value, MOST_ITEMS, around))]
Agents = Annotated[
    counts.CountValue, ParsedHere(lambda value, around: counts.parse_count(value, MOST_AGENTS, around, agents=False))
]
ItemCount = Annotated[counts.ItemCountValue, ParsedHere(counts.parse_item_count)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    kind = "list" if isinstance(value, list) else "mapping" if isinstance(value, dict) else None
    if kind:
        raise BadValueError(f"expected text, not a {kind}")
    shown = "true or false" if isinstance(value, bool) else "a number" if units.is_number(value) else "nothing"
    raise BadValueError(f"expected text, not {shown}", "put it in quotes")


def _name(value: Any) -> str:
    if not _text(value).strip():
        raise BadValueError("expected a name, not an empty text")
    return str(value)


Text = Annotated[str, Parsed(_text)]
Name = Annotated[str, Parsed(_name)]


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    likely = meant.get(value.lower(), value.lower()) if isinstance(value, str) else None
    raise BadValueError(
        "expected true or false", f"write {likely}, without quotes" if likely in ("true", "false") else None
    )


Flag = Annotated[bool, Parsed(_flag)]


def mapping(value: Any) -> Any:
    """Refuse what is not a mapping with words of ours."""
    if not isinstance(value, dict) and not isinstance(value, BaseModel):
        raise raised(BadValueError("expected a mapping of keys to values"), wrong_shape=True)
    return value


MappingField = BeforeValidator(mapping)


def validate(
    model: type[Model], document: Document, known_models: Collection[str] | None = None
) -> tuple[Model | None, list[Problem]]:
    """The document as a `model`, or the mistakes in its shape: all, or the first `MOST`.

    known_models : profiles that the file need not declare; None if they are not known
    """
    if document.data is None and () not in document.unreadable:
        return None, [Problem("bad-value", "the file is empty", document.value(), model.example)]
    try:
        context = context_of(document, known_models)
        found = model.model_validate(mapping(document.data), context=context)
        return found, [*_taken(document), *_left_out(model, document, [])]
    except PydanticCustomError:
        message = "expected a mapping of keys to values"
        return None, [] if () in document.unreadable else [
            Problem("bad-value", message, document.value(), model.example)
        ]
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    return None, [*_problems(model, document, details), *_taken(document), *_left_out(model, document, details)]


def _taken(document: Document) -> Iterator[Problem]:
    """A problem for a parameter with the name that stands for the agents of a crew in arithmetic."""
    declared = document.data.get("parameters") if isinstance(document.data, dict) else None
    if isinstance(declared, dict) and AGENTS in declared:
        message = f"'{AGENTS}' cannot be the name of a parameter: in arithmetic it is the number of agents of the crew"
        yield Problem("bad-name", message, document.key("parameters", AGENTS), "choose another name")


def _left_out(model: type[Declared], document: Document, details: list[ErrorDetails]) -> Iterator[Problem]:
    """A problem for each key without a value, unless the key itself is unknown."""
    unknown = {detail["loc"] for detail in details if detail["type"] == "extra_forbidden"}
    for path, place in list(document.nothing.items())[:MOST]:
        if path in unknown or not path:
            continue
        around, _ = _declared(model, path[:-1])
        field = around.model_fields.get(str(path[-1])) if around else None
        hint = "write one after ':'" + (", or take the key away" if field and not field.is_required() else "")
        if isinstance(path[-1], str):
            yield Problem("bad-value", f"'{path[-1]}' has no value", place, _as_in(model, path) or hint)
        else:
            yield Problem("bad-value", "this item has no value", place, "take it away")


def _problems(model: type[Declared], document: Document, details: list[ErrorDetails]) -> Iterator[Problem]:
    silent = document.unreadable | document.nothing.keys()
    typos: dict[tuple[KeyPath, str], None] = {}
    for detail in details[: 10 * MOST]:
        if detail["type"] == "extra_forbidden":
            near = nearest(str(detail["loc"][-1]), _fields(model, detail["loc"][:-1]))
            typos[detail["loc"][:-1], near or ""] = None
    told = 0
    for detail in details:
        path: KeyPath = ()
        for part in detail["loc"]:
            if (*path, part) in document.values:
                path = (*path, part)
        unknown = detail["type"] == "extra_forbidden"
        at = (*path, *detail.get("ctx", {}).get("at", ()))
        if path in document.unreadable or (at in silent and not unknown):
            continue  # a problem of its own, or none that could be seen
        if detail["type"] == "missing" and (detail["loc"][:-1], str(detail["loc"][-1])) in typos:
            continue  # explained by its misspelling
        yield _problem(model, document, detail, path)
        told += 1
        if told == MOST:
            return


def _problem(model: type[Declared], document: Document, detail: ErrorDetails, path: KeyPath) -> Problem:
    name, around = (str(detail["loc"][-1]), detail["loc"][:-1]) if detail["loc"] else ("", ())
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        place = document.key(*path) if len(path) == len(detail["loc"]) else document.value(*path)
        return Problem("unknown-key", f"unknown key '{name}'", place, did_you_mean(name, _fields(model, around)))
    if detail["type"] == "missing":
        place = document.key(*path) if len(path) == len(around) else document.value(*path)
        return Problem("missing-key", f"the key '{name}' is missing", place, _as_in(model, around))
    hint = _as_in(model, detail["loc"]) if context.get("wrong_shape") else context.get("hint")
    path = (*path, *context.get("at", ()))
    place = document.key(*path) if context.get("on_key") else document.value(*path)
    return Problem(detail["type"], context.get("message", detail["msg"]), place, hint)


def _as_in(model: type[Declared], loc: KeyPath) -> str | None:
    """A hint that shows how what stands at `loc` is written."""
    declared, many = _declared(model, loc)
    if declared is None or not loc:
        return declared.example if declared else None
    return f"as in {loc[-1]}: " + (f"{{a-name: {declared.example}}}" if many else declared.example)


def _fields(model: type[Declared], loc: KeyPath) -> list[str]:
    """The keys that what stands at `loc` may have."""
    declared, _ = _declared(model, loc)
    return list(declared.model_fields) if declared else []


def _declared(model: type[Declared], loc: KeyPath) -> tuple[type[Declared] | None, bool]:
    """The declaration at a path of pydantic's, and whether there are many of it, by name."""
    here: Any = model
    for part in loc:
        if isinstance(here, type) and issubclass(here, Declared):
            here = here.model_fields[str(part)].annotation if part in here.model_fields else None
        else:
            here = typing.get_args(here)[1] if typing.get_origin(here) is dict else None
        here = _bare(here)
    many = typing.get_origin(here) is dict
    if many:
        here = _bare(typing.get_args(here)[1])
    return (here if isinstance(here, type) and issubclass(here, Declared) else None), many


def _bare(annotation: Any) -> Any:
    """A type without what is annotated, and without None."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _bare(next(one for one in typing.get_args(annotation) if one is not types.NoneType))
    return annotation
