"""A document in, a pydantic model or problems with positions out. The field types of declarations are here too."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from planner.errors import (
    MOST_PROBLEMS,
    Problem,
    did_you_mean,
    nearest,
)
from planner.reading import units
from planner.reading.estimates import counts
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.context import FileContext, context_of
from planner.reading.estimates.curves import Curve, is_curve, parse_curve
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import UnboundEstimate, parse_estimate
from planner.reading.units import BadValueError
from planner.reading.yaml.source_map import Document, KeyPath


class Declared(BaseModel):
    """Base class of declarations: unknown keys are mistakes, and instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    example: ClassVar[str]
    """A short example of the declaration, which hints show."""


Model = TypeVar("Model", bound=Declared)


def validation_error(mistake: BadValueError, **more: Any) -> PydanticCustomError:
    """Convert a mistake to the exception that a pydantic validator raises. `more` goes into its context."""
    context = {"message": str(mistake), "hint": mistake.hint, "at": mistake.at, "on_key": mistake.on_key, **more}
    return PydanticCustomError(mistake.code, "{message}", context)


class ParsedBy:
    """Annotation of a field whose value comes from `parse`, which may raise `BadValueError`.

    pydantic derives no schema from the field's type: for dataclasses that would add tens of milliseconds at start-up.
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
    """Like `ParsedBy`, for a `parse` that also takes the `FileContext` of the value."""

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
    """Field type of an estimate in a profile, which cannot depend on parameters or models: all steps share it."""

    def parse(value: Any, context: FileContext) -> Estimate:
        estimate = parse_estimate(value, quantity, context)
        if isinstance(estimate, UnboundEstimate):
            message = "a profile cannot use expressions or by_model, because it is the same for all steps"
            raise BadValueError(message, f"write {quantity.expected.removeprefix('expected ')}")
        return estimate

    return ParsedInFile(parse)


def _curve_or_estimate(quantity: units.Quantity) -> Any:
    """Field type of an estimate in a profile, or a curve by concurrency."""
    estimate = _profile_estimate(quantity)
    return ParsedInFile(
        lambda value, context: parse_curve(value, quantity) if is_curve(value) else estimate.parse(value, context)
    )


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
Number = Annotated[float, ParsedBy(units.count)]
Context = Annotated[float, ParsedBy(units.context)]
LogSd = Annotated[float, ParsedBy(units.log_sd)]
Size = Annotated[Estimate, _estimate(units.SIZE)]
Widening = Annotated[float, ParsedBy(units.widening)]
Chance = Annotated[float, ParsedBy(units.chance)]
Usd = Annotated[Decimal, ParsedBy(units.money)]

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


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    kind = "list" if isinstance(value, list) else "mapping" if isinstance(value, dict) else None
    if kind:
        raise BadValueError(f"expected text, not a {kind}")
    kind = "true or false" if isinstance(value, bool) else "a number" if units.is_number(value) else "nothing"
    raise BadValueError(f"expected text, not {kind}", "put it in quotes")


def _name(value: Any) -> str:
    if not _text(value).strip():
        raise BadValueError("a name cannot be empty")
    return str(value)


Text = Annotated[str, ParsedBy(_text)]
Name = Annotated[str, ParsedBy(_name)]


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    synonyms = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    likely = synonyms.get(value.lower(), value.lower()) if isinstance(value, str) else None
    raise BadValueError(
        "expected true or false", f"write {likely}, without quotes" if likely in ("true", "false") else None
    )


Flag = Annotated[bool, ParsedBy(_flag)]


def require_mapping(value: Any) -> Any:
    """Return `value`. If it is not a mapping, raises the exception of a pydantic validator, with our own message."""
    if not isinstance(value, dict) and not isinstance(value, BaseModel):
        raise validation_error(BadValueError("expected a mapping of keys to values"), wrong_shape=True)
    return value


MappingField = BeforeValidator(require_mapping)


def validate(
    model: type[Model], document: Document, known_models: Collection[str] | None = None
) -> tuple[Model | None, list[Problem]]:
    """Return the document as a `model` (None if it is invalid), and its problems.

    Of each kind of problem, at most `MOST_PROBLEMS` are returned.

    known_models : profiles that the file need not declare; None means that they are unknown, and any name is accepted
    """
    if document.data is None and () not in document.unreadable:
        return None, [Problem("bad-value", "the file is empty", document.value(), model.example)]
    try:
        context = context_of(document, known_models)
        declared = model.model_validate(require_mapping(document.data), context=context)
        return declared, [*_reserved(document), *_without_value(model, document, [])]
    except PydanticCustomError:
        message = "expected a mapping of keys to values"
        return None, [] if () in document.unreadable else [
            Problem("bad-value", message, document.value(), model.example)
        ]
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    return None, [
        *_problems(model, document, details),
        *_reserved(document),
        *_without_value(model, document, details),
    ]


def _reserved(document: Document) -> Iterator[Problem]:
    """Yield a problem if a parameter is called `agents`, which is reserved in expressions."""
    declared = document.data.get("parameters") if isinstance(document.data, dict) else None
    if isinstance(declared, dict) and AGENTS in declared:
        message = f"'{AGENTS}' cannot be the name of a parameter: in expressions it is the crew's number of agents"
        yield Problem("bad-name", message, document.key("parameters", AGENTS), "choose another name")


def _without_value(model: type[Declared], document: Document, details: list[ErrorDetails]) -> Iterator[Problem]:
    """Yield a problem for each key or item without a value, unless the key is unknown."""
    unknown = {detail["loc"] for detail in details if detail["type"] == "extra_forbidden"}
    for path, place in list(document.nothing.items())[:MOST_PROBLEMS]:
        if path in unknown or not path:
            continue
        parent, _ = _declared(model, path[:-1])
        field = parent.model_fields.get(str(path[-1])) if parent else None
        hint = "write a value after ':'" + (", or remove the key" if field and not field.is_required() else "")
        if isinstance(path[-1], str):
            yield Problem("bad-value", f"'{path[-1]}' has no value", place, _example(model, path) or hint)
        else:
            yield Problem("bad-value", "this item of the list has no value", place, "remove it")


def _problems(model: type[Declared], document: Document, details: list[ErrorDetails]) -> Iterator[Problem]:
    silent = document.unreadable | document.nothing.keys()
    typos: dict[tuple[KeyPath, str], None] = {}
    for detail in details[: 10 * MOST_PROBLEMS]:
        if detail["type"] == "extra_forbidden":
            near = nearest(str(detail["loc"][-1]), _fields(model, detail["loc"][:-1]))
            typos[detail["loc"][:-1], near or ""] = None
    count = 0
    for detail in details:
        path: KeyPath = ()
        for part in detail["loc"]:
            if (*path, part) in document.values:
                path = (*path, part)
        unknown = detail["type"] == "extra_forbidden"
        exact = (*path, *detail.get("ctx", {}).get("at", ()))
        if path in document.unreadable or (exact in silent and not unknown):
            continue  # reported elsewhere
        if detail["type"] == "missing" and (detail["loc"][:-1], str(detail["loc"][-1])) in typos:
            continue  # a misspelt key explains it
        yield _problem(model, document, detail, path)
        count += 1
        if count == MOST_PROBLEMS:
            return


def _problem(model: type[Declared], document: Document, detail: ErrorDetails, path: KeyPath) -> Problem:
    name, parent = (str(detail["loc"][-1]), detail["loc"][:-1]) if detail["loc"] else ("", ())
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        place = document.key(*path) if len(path) == len(detail["loc"]) else document.value(*path)
        return Problem("unknown-key", f"unknown key '{name}'", place, did_you_mean(name, _fields(model, parent)))
    if detail["type"] == "missing":
        place = document.key(*path) if len(path) == len(parent) else document.value(*path)
        return Problem("missing-key", f"the key '{name}' is missing", place, _example(model, parent))
    hint = _example(model, detail["loc"]) if context.get("wrong_shape") else context.get("hint")
    path = (*path, *context.get("at", ()))
    place = document.key(*path) if context.get("on_key") else document.value(*path)
    return Problem(detail["type"], context.get("message", detail["msg"]), place, hint)


def _example(model: type[Declared], loc: KeyPath) -> str | None:
    """Hint with an example of the declaration at pydantic's path `loc`."""
    declared, by_name = _declared(model, loc)
    if declared is None or not loc:
        return declared.example if declared else None
    return f"as in {loc[-1]}: " + (f"{{a-name: {declared.example}}}" if by_name else declared.example)


def _fields(model: type[Declared], loc: KeyPath) -> list[str]:
    """Keys of the declaration at `loc`."""
    declared, _ = _declared(model, loc)
    return list(declared.model_fields) if declared else []


def _declared(model: type[Declared], loc: KeyPath) -> tuple[type[Declared] | None, bool]:
    """Return the declaration at pydantic's path `loc`, and whether it is the value type of a mapping from names."""
    annotation: Any = model
    for part in loc:
        if isinstance(annotation, type) and issubclass(annotation, Declared):
            annotation = annotation.model_fields[str(part)].annotation if part in annotation.model_fields else None
        else:
            annotation = typing.get_args(annotation)[1] if typing.get_origin(annotation) is dict else None
        annotation = _bare(annotation)
    by_name = typing.get_origin(annotation) is dict
    if by_name:
        annotation = _bare(typing.get_args(annotation)[1])
    return (annotation if isinstance(annotation, type) and issubclass(annotation, Declared) else None), by_name


def _bare(annotation: Any) -> Any:
    """Strip `Annotated` and None from a type."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _bare(next(other for other in typing.get_args(annotation) if other is not types.NoneType))
    return annotation
