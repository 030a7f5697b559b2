"""Pydantic's findings in, problems with positions out; and the field types that declarations are made of."""

from __future__ import annotations

import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from planner.errors import Problem, did_you_mean
from planner.reading import units
from planner.reading.estimates import Estimate, parse_estimate
from planner.reading.yaml_file import Document, KeyPath


class Declared(BaseModel):
    """What a user declares: unknown keys are mistakes, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


Model = TypeVar("Model", bound=BaseModel)


def problem_in(code: str, message: str, hint: str | None = None) -> PydanticCustomError:
    """What a validator raises."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})  # type: ignore[arg-type]  # a code is documented, not a literal


class Parsed:
    """A field whose value is what `parse` makes of it; its ValueError is the user's to read.

    Nothing is derived from the field's type: for a dataclass that would cost tens of milliseconds at every start.
    """

    def __init__(self, parse: Callable[[Any], Any]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def check(self, value: Any) -> Any:
        try:
            return self.parse(value)
        except ValueError as error:
            raise problem_in("bad-value", str(error)) from None


def _estimate(quantity: units.Quantity) -> Any:
    return Parsed(lambda value: parse_estimate(value, quantity))


Duration = Annotated[Estimate, _estimate(units.DURATION)]
Tokens = Annotated[Estimate, _estimate(units.TOKENS)]
Turns = Annotated[Estimate, _estimate(units.TURNS)]
Rate = Annotated[Estimate, _estimate(units.RATE)]
Seconds = Annotated[float, Parsed(units.duration)]
Factor = Annotated[float, Parsed(units.factor)]
Number = Annotated[float, Parsed(units.count)]
TokenCount = Annotated[float, Parsed(units.tokens)]
Usd = Annotated[Decimal, Parsed(units.money)]


def _count(value: Any) -> int | str:
    """A whole number from 1, or the name of a parameter."""
    if isinstance(value, str) and value.isidentifier():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise ValueError("must be at least 1")
        return value
    raise ValueError("expected a whole number from 1, or the name of a parameter")


Count = Annotated[int | str, Parsed(_count)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        shown = "nothing" if value is None else f"'{value}'"
        raise ValueError(
            f"expected text, not {shown}" + ("; put it in quotes" if isinstance(value, int | float) else "")
        )
    return value


Text = Annotated[str, Parsed(_text)]


def mapping(value: Any) -> Any:
    """Refuse what is not a mapping with words of ours."""
    if not isinstance(value, dict) and not isinstance(value, BaseModel):
        raise problem_in(
            "bad-value", "expected a mapping of keys to values" + (", not nothing" if value is None else "")
        )
    return value


Mapping = BeforeValidator(mapping)


def validate(model: type[Model], document: Document) -> tuple[Model | None, list[Problem]]:
    """The document as a `model`, or every mistake in its shape."""
    try:
        return model.model_validate(mapping(document.data)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    except PydanticCustomError as error:
        return None, [Problem(error.type, error.message(), document.value())]
    typos = {
        (detail["loc"][:-1], hint)
        for detail in details
        if detail["type"] == "extra_forbidden"
        if (hint := _unknown(model, detail))
    }
    problems = []
    for detail in details:
        missing = detail["type"] == "missing" and (detail["loc"][:-1], f"did you mean '{detail['loc'][-1]}'?") in typos
        if not missing:  # a missing key is explained by its misspelling
            problems.append(_problem(model, document, detail))
    return None, problems


def _problem(model: type[BaseModel], document: Document, detail: ErrorDetails) -> Problem:
    path: KeyPath = ()
    for part in detail["loc"]:
        if (*path, part) in document.values:
            path = (*path, part)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return Problem(
                "unknown-key", f"unknown key '{detail['loc'][-1]}'", document.key(*path), _unknown(model, detail)
            )
        case "missing":
            return Problem("missing-key", f"the key '{detail['loc'][-1]}' is missing", document.key(*path))
        case "model_type" | "dict_type" | "model_attributes_type":
            return Problem("bad-value", "expected a mapping of keys to values", document.value(*path))
        case "bool_type" | "bool_parsing":
            return Problem("bad-value", "expected true or false", document.value(*path))
    place = document.key(*path) if detail["type"] == "step-body" else document.value(*path)
    return Problem(detail["type"], context.get("message", detail["msg"]), place, context.get("hint"))


def _unknown(model: type[BaseModel], detail: ErrorDetails) -> str | None:
    """A hint for an unknown key: the nearest field of the declaration that it stands in, or all of them."""
    inside: list[Any] = [model]
    for part in detail["loc"][:-1]:
        fields = [kind.model_fields[part].annotation for kind in inside if part in kind.model_fields]
        inside = [found for annotation in fields for found in _models(annotation)] or inside
    return did_you_mean(str(detail["loc"][-1]), (name for kind in inside for name in kind.model_fields))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in typing.get_args(annotation) for found in _models(argument)]
