"""A document in, a pydantic model or problems with positions out."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Collection, Iterator
from typing import Annotated, Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from planner.errors import (
    MOST_PROBLEMS,
    Note,
    Problem,
    for_example,
)
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.context import context_of
from planner.reading.fields import Declared, require_mapping
from planner.reading.key_hints import NearbyKeys, key_hint, misspelt_key
from planner.reading.yaml.source_map import Document, KeyPath

Model = TypeVar("Model", bound=Declared)


def validate(
    model: type[Model], document: Document, known_models: Collection[str] | None = None
) -> tuple[Model | None, list[Problem]]:
    """Convert a document to an instance of `model`. Returns the instance and the problems of the document.

    The instance is None if the document is invalid. At most `MOST_PROBLEMS` problems of each kind are returned.

    known_models : names of profiles that are declared elsewhere, for example in the catalogue; None allows any name
    """
    if document.data is None and () not in document.unreadable:
        return None, [Problem("bad-value", "the file declares nothing", document.value(), model.example)]
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
    """Yield a problem if a parameter has the name `agents`.

    This name is reserved. In expressions, `agents` means the number of agents.
    """
    declared = document.data.get("parameters") if isinstance(document.data, dict) else None
    if isinstance(declared, dict) and AGENTS in declared:
        message = f"'{AGENTS}' cannot be the name of a parameter: in expressions, '{AGENTS}' is the number of agents"
        yield Problem("bad-name", message, document.key("parameters", AGENTS), "choose another name")


def _without_value(model: type[Declared], document: Document, details: list[ErrorDetails]) -> Iterator[Problem]:
    """Yield a problem for each known key without a value, and for each list item without a value.

    details : errors that pydantic found in the document
    """
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
            yield Problem("bad-value", "this item of the list has no value", place, "remove this item")


def _problems(model: type[Declared], document: Document, details: list[ErrorDetails]) -> Iterator[Problem]:
    silent = document.unreadable | document.nothing.keys()
    typos: dict[tuple[KeyPath, str], None] = {}
    for detail in details[: 10 * MOST_PROBLEMS]:
        if detail["type"] == "extra_forbidden":
            near = misspelt_key(str(detail["loc"][-1]), _fields(model, detail["loc"][:-1]))
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
            continue  # a misspelt key explains the missing key
        yield _problem(model, document, detail, path)
        count += 1
        if count == MOST_PROBLEMS:
            return


def _problem(model: type[Declared], document: Document, detail: ErrorDetails, path: KeyPath) -> Problem:
    name, parent = (str(detail["loc"][-1]), detail["loc"][:-1]) if detail["loc"] else ("", ())
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        place = document.key(*path) if len(path) == len(detail["loc"]) else document.value(*path)
        hint = key_hint(name, _value_at(document, detail["loc"]), _nearby_keys(model, parent))
        alias = re.match(r"\*[^\s,\]}]+", place.text[place.column - 1 :]) if place else None
        message = f"unknown key '{name}'" + (f" in the value of '{alias[0]}'" if alias else "")
        if isinstance(hint, Note):
            return Problem("unknown-key", message, place, remedy=hint)
        return Problem("unknown-key", message, place, hint)
    if detail["type"] == "missing":
        place = document.key(*path) if len(path) == len(parent) else document.value(*path)
        return Problem("missing-key", f"the key '{name}' is missing", place, _example(model, parent, name))
    hint = _example(model, detail["loc"]) if context.get("wrong_shape") else context.get("hint")
    path = (*path, *context.get("at", ()))
    place = document.key(*path) if context.get("on_key") else document.value(*path)
    return Problem(detail["type"], context.get("message", detail["msg"]), place, hint)


def _example(model: type[Declared], loc: KeyPath, key: str | None = None) -> str | None:
    """Return a hint with an example of the declaration at the path `loc`; None if no declaration belongs there.

    loc : path from an error of pydantic
    key : name of a required key that the example must contain
    """
    declared, by_name = _declared(model, loc)
    if declared is None or not loc:
        return declared.example if declared else None
    example = declared.example if key is None or "{" in declared.example else f"{{{key}: {declared.example}}}"
    return for_example(str(loc[-1]), f"{{a-name: {example}}}" if by_name else example)


def _fields(model: type[Declared], loc: KeyPath) -> list[str]:
    """Return the keys that the declaration at the path `loc` can have.

    loc : path from an error of pydantic
    """
    declared, _ = _declared(model, loc)
    return list(declared.model_fields) if declared else []


def _nearby_keys(model: type[Declared], loc: KeyPath) -> NearbyKeys:
    """Return the valid keys around an unknown key: at the same level, one level lower, and one level higher.

    loc : path of the declaration that contains the unknown key, from an error of pydantic
    """
    declared, _ = _declared(model, loc)
    inside, entries = {}, []
    for name, field in declared.model_fields.items() if declared else ():
        other, by_name = _declared_by(_bare(field.annotation))
        if other is not None:
            inside[name] = list(other.model_fields)
            entries += [name] if by_name else []
    name = str(loc[-1]) if loc and not _declared(model, loc[:-1])[1] else ""
    around = _fields(model, loc[:-1]) if name else []
    return NearbyKeys(_fields(model, loc), inside, entries, name, around)


def _value_at(document: Document, loc: KeyPath) -> Any:
    """Return the value in the document at the path `loc`. Return None if there is no such value."""
    value = document.data
    for part in loc:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _declared(model: type[Declared], loc: KeyPath) -> tuple[type[Declared] | None, bool]:
    """Return the type of a declaration at the path `loc`, and whether the path leads to a mapping of declarations.

    For example, the path `steps` leads to a mapping from names to declarations of the type `Step`. The type is None if
    no declaration belongs at the path.

    loc : path from an error of pydantic
    """
    annotation: Any = model
    for part in loc:
        if isinstance(annotation, type) and issubclass(annotation, Declared):
            annotation = annotation.model_fields[str(part)].annotation if part in annotation.model_fields else None
        else:
            annotation = typing.get_args(annotation)[1] if typing.get_origin(annotation) is dict else None
        annotation = _bare(annotation)
    return _declared_by(annotation)


def _declared_by(annotation: Any) -> tuple[type[Declared] | None, bool]:
    """Return the type of a declaration in an annotation, and whether the annotation is a mapping of declarations.

    The type is None if the annotation has no declaration.
    """
    by_name = typing.get_origin(annotation) is dict
    if by_name:
        annotation = _bare(typing.get_args(annotation)[1])
    return (annotation if isinstance(annotation, type) and issubclass(annotation, Declared) else None), by_name


def _bare(annotation: Any) -> Any:
    """Return the type in an annotation, without `Annotated` and None.

    For example, `Annotated[int | None, …]` becomes `int`.
    """
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _bare(next(other for other in typing.get_args(annotation) if other is not types.NoneType))
    return annotation
