"""Bind the estimates of a declaration to the values of parameters, a number of agents and a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from planner.errors import InputError, Problem
from planner.reading.estimates.estimate import Estimate
from planner.reading.fields import Declared
from planner.reading.units import BadValueError

Model = TypeVar("Model", bound=Declared)


def bind(declared: Model, values: Mapping[str, float], model: str | None) -> Model:
    """Return `declared` with all estimates bound. If no estimate is unbound, return `declared` itself.

    Nested declarations are bound too. Mappings from names, such as the steps of a group, are not bound, because each
    step has its own model.

    values : value of each parameter, and the crew's number of agents as `agents`
    model : model of the requests; None if there are no requests

    Raises InputError if an estimate cannot be bound, for example if its value is out of bounds.
    """
    changes: dict[str, Any] = {}
    for name in type(declared).model_fields:
        value = getattr(declared, name)
        if isinstance(value, Estimate):
            try:
                new: Any = value.bind(values, model)
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
