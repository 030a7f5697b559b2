"""Open estimates of a declaration in, estimates with numbers out, once parameters, agents and model are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from planner.errors import InputError, Problem
from planner.reading.estimates.estimate import Estimate
from planner.reading.units import BadValueError
from planner.reading.validation import Declared

Model = TypeVar("Model", bound=Declared)


def bind(declared: Model, values: Mapping[str, float], model: str | None) -> Model:
    """`declared` with every open estimate in it settled; the same object if none is open.

    This goes into declarations within it, not into mappings of names, such as the steps of a group: these have
    models of their own.

    values : of the parameters, and of `agents`, the number of agents of the crew
    model : of the requests, or None where there are none

    Raises InputError if an estimate cannot be settled.
    """
    changes: dict[str, Any] = {}
    for name in type(declared).model_fields:
        value = getattr(declared, name)
        if isinstance(value, Estimate):
            try:
                new: Any = value.bound(values, model)
            except BadValueError as mistake:
                message = f"{name}: {mistake}" if str(value) in str(mistake) else f"{name}, '{value}': {mistake}"
                raise InputError([Problem(mistake.code, message, None, mistake.hint)]) from None
        elif isinstance(value, Declared):
            new = bind(value, values, model)
        else:
            continue
        if new is not value:
            changes[name] = new
    return declared.model_copy(update=changes) if changes else declared
