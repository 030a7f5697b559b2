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
    """Return a copy of a declaration with bound estimates, or `declared` itself if nothing changes.

    A bound estimate does not depend on parameters, on the number of agents or on the model.

    Estimates in nested declarations are also bound. Mappings from names to declarations, such as the steps of a group,
    stay unchanged.

    values : value of each parameter, and the number of agents under the name `agents`
    model : model of the requests; None if there are no requests

    Raises `InputError` if an estimate cannot be bound, for example because its value is out of bounds.
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
