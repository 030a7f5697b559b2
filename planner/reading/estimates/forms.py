"""A declared estimate in, an `Estimate` out: numbers, ranges, percentiles, triangles, values, expressions, text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from planner.errors import did_you_mean, listed, nearest
from planner.reading.estimates.arithmetic import Formula, is_arithmetic, parse_formulas
from planner.reading.estimates.context import NO_FILE, FileContext
from planner.reading.estimates.estimate import (
    Z95,
    Estimate,
    empirical,
    exact,
    lognormal,
    ranged,
    triangular,
)
from planner.reading.estimates.prompts import prompt_file, prompt_text
from planner.reading.hints import NUMBER
from planner.reading.units import (
    LONGEST_TEXT,
    TOKENS,
    BadValueError,
    Quantity,
    within,
)

MOST_VALUES = 10_000
"""Most values of an empirical estimate."""

OTHER = "other"
"""Key of `by_model` for all models that are not listed."""


_ASCENDING = "write three values in ascending order: first 'low', then 'likely', then 'high'"


class UnboundEstimate(Estimate):
    """An estimate that depends on parameters, on the number of agents or on the model.

    The method `bind` returns an estimate that depends on none of them.
    """

    def quantile(self, p: float) -> NoReturn:
        raise ValueError(f"'{self.text}' is not bound")

    def times(self, factor: float) -> NoReturn:
        raise ValueError(f"'{self.text}' is not bound")


@dataclass(frozen=True)
class Arithmetic(UnboundEstimate):
    """An estimate that is given by one expression, as in `= a`, or by two expressions, as in `= a to b`."""

    formulas: tuple[Formula, ...] = ()
    quantity: Quantity | None = None

    def bind(self, values: Mapping[str, float], model: str | None) -> Estimate:
        assert self.quantity is not None
        bounds = []
        for formula in self.formulas:
            number = formula.value(values)
            try:
                bounds.append(self.quantity.bounded(number))
            except BadValueError as mistake:
                shown = replace(formula, unit=self.quantity.unit).shown(number / self.quantity.per_unit)
                message = f"'= {formula.text}' is {shown}{formula.agents_clause(values)}, but {mistake}"
                raise BadValueError(message, mistake.hint) from None
        if len(bounds) == 1:
            return exact(bounds[0], self.quantity, self.text)
        if bounds[1] < bounds[0]:
            shown = " to ".join(formula.shown(bound) for formula, bound in zip(self.formulas, bounds, strict=True))
            condition = next(filter(None, (formula.agents_clause(values) for formula in self.formulas)), "")
            message = f"'{self.text}' is {shown}{condition}: the lower bound is above the upper bound"
            raise BadValueError(message, "swap the bounds")
        return ranged(bounds[0], bounds[1], self.quantity, self.text)


@dataclass(frozen=True)
class ByModel(UnboundEstimate):
    """An estimate with a separate declaration for each model.

    models : pairs of a model's name and its estimate; the name ``other`` means all other models
    """

    models: tuple[tuple[str, Estimate], ...] = ()

    def bind(self, values: Mapping[str, float], model: str | None) -> Estimate:
        estimates = dict(self.models)
        estimate = estimates.get(model or OTHER) or estimates.get(OTHER)
        if estimate is None:
            reason = (
                f"has no estimate for the model '{model}'" if model else "has no estimate for a step without a model"
            )
            hint = "add this model, or add 'other' for all models that are not listed"
            raise BadValueError(f"'by_model' {reason}", hint if model else "add 'other' for steps without a model")
        return replace(estimate.bind(values, model), own=True)


def parse_estimate(value: Any, quantity: Quantity, context: FileContext = NO_FILE) -> Estimate:
    """Parse an estimate of a quantity.

    An estimate is a number, an expression, or one of these forms:

    - `a to b`: a lognormal with 5th percentile a and 95th percentile b, so that `sigma = ln(b / a) / 3.29`
    - `0 to b`: an exponential with 95th percentile b, so that `mean = b / ln(20)`
    - `{p50, p95}`: a lognormal with these percentiles, so that `sigma = ln(p95 / p50) / 1.645`
    - `{low, likely, high}`: a triangular distribution
    - `{values}`: a distribution in which all values are equally likely
    - `{file, column}`: a distribution in which all values in a column of a CSV file are equally likely
    - `{text}`, or `{file}` without a column: the number of tokens of a text
    - `{by_model}`: one estimate for each model

    Here `sigma` is the standard deviation of the logarithm.

    Raises `BadValueError` if `value` is not an estimate. The message says what to write.
    """
    if isinstance(value, dict):
        return _from_mapping(value, quantity, context)
    if is_arithmetic(value):
        return _from_arithmetic(value, quantity, context)
    if value is None or isinstance(value, bool | list) or (isinstance(value, str) and len(value) > LONGEST_TEXT):
        raise BadValueError(quantity.expected, _as_list(value, quantity))
    if isinstance(value, str):
        parts = re.split(r"\s+to\s+", value.strip())
        if len(parts) == 2:
            return _from_range(parts[0], parts[1], quantity)
    try:
        number = _number(value, quantity)
    except BadValueError as mistake:
        raise BadValueError(str(mistake), mistake.hint or _with_a_dash(value, quantity), code=mistake.code) from None
    return exact(number, quantity, str(value))


def _number(value: Any, quantity: Quantity) -> float:
    return quantity.bounded(quantity.parse(value))


def _as_list(value: Any, quantity: Quantity) -> str | None:
    """Return a hint for a list of two values, such as `[5s, 10s]`. Return None for any other value."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    try:
        bounds = [_number(bound, quantity) for bound in value]
    except BadValueError:
        return None
    return f"write {value[0]} to {value[1]}" if bounds[0] < bounds[1] else None


def _with_a_dash(value: Any, quantity: Quantity) -> str | None:
    """Return a hint for a range that is written with a dash or dots, such as `5-10s` or `5..10s`.

    Return None for any other value. In `5-10s`, the unit applies to both bounds.
    """
    bound = rf"\s*(?:~|≈|about\b|approx\.?)?\s*({NUMBER})\s*([a-zA-Z]*)\s*"
    parts = re.fullmatch(f"{bound}(?:[-–—…]|\\.\\.\\.?){bound}", value) if isinstance(value, str) else None
    if not parts:
        return None
    low, high = f"{parts[1]}{parts[2] or parts[4]}", f"{parts[3]}{parts[4] or parts[2]}"
    try:
        _number(low, quantity), _number(high, quantity)
    except BadValueError:
        return None
    return f"write {low} to {high}"


def _from_range(low: str, high: str, quantity: Quantity) -> Estimate:
    try:
        a, b = _number(low, quantity), _number(high, quantity)
    except BadValueError as mistake:
        hint = _with_a_dash(f"{low}-{high}", quantity) or mistake.hint
        raise BadValueError(str(mistake), hint, code=mistake.code) from None
    text = f"{low} to {high}"
    if b < a:
        raise BadValueError(f"the lower bound of '{text}' is above the upper bound", f"write {high} to {low}")
    return ranged(a, b, quantity, low if a == b else text)


def _from_mapping(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    """Parse an estimate that is written as a mapping, such as `{p50: 30s, p95: 2min}`.

    The form of the estimate follows from its keys. If they belong to several forms, the first key decides.
    """
    form = next((form for key in value for form in _forms(value, quantity) if key in form.keys), _FORMS[0])
    unknown = [key for key in value if key not in form.keys]
    if unknown:
        hint = f"remove '{unknown[0]}'; the allowed keys are {listed(form.keys)}"
        if len(form.keys) == 1:
            hint = f"remove '{unknown[0]}'; no other key is allowed next to '{form.keys[0]}'"
        similar = nearest(unknown[0], [key for key in form.keys if key not in value])
        if similar:
            hint = f"did you mean '{similar}'?"
        if form.keys == ("by_model",):
            hint = f"move '{unknown[0]}' into 'by_model', for example {_by_model(quantity)}"
        if form is _FORMS[0]:
            hint = f"write {quantity.expected.removeprefix('expected ')}"
        raise BadValueError(f"unknown key '{unknown[0]}'", hint, code="unknown-key", at=(unknown[0],), on_key=True)
    for key in form.keys:
        if key not in value:
            hint = form.all or f"write for example {_in_file(quantity)}"
            raise BadValueError(f"the key '{key}' is missing", hint, code="missing-key", on_key=True)
    return form.parse(value, quantity, context)


def _from_percentiles(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    p50, p95 = _at_keys(value, quantity)
    if p95 < p50:
        raise BadValueError(
            "'p95' is below 'p50'",
            "swap the two values: half of all values are below 'p50', and 95% are below 'p95'",
            at=("p95",),
        )
    if p50 == 0:
        high = quantity.spread.split(" to ")[1]
        raise BadValueError(
            "'p50' must be above 0", f"if values can be 0, write a range, for example '0 to {high}'", at=("p50",)
        )
    if p95 == p50:
        return exact(p50, quantity, str(value["p50"]))
    return lognormal(p50, (math.log(p95) - math.log(p50)) / Z95, quantity, _text(value))


def _from_triangle(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    low, likely, high = _at_keys({key: value[key] for key in ("low", "likely", "high")}, quantity)
    if likely < low:
        raise BadValueError("'low' is above 'likely'", _ASCENDING, at=("low",))
    if high < likely:
        raise BadValueError("'likely' is above 'high'", _ASCENDING, at=("likely",))
    return triangular(low, likely, high, quantity, _text(value) if low < high else str(value["low"]))


def _at_keys(value: dict[str, Any], quantity: Quantity) -> list[float]:
    numbers = []
    for key, number in value.items():
        with within(key):
            numbers.append(_number(number, quantity))
    return numbers


def _text(value: dict[str, Any]) -> str:
    return ", ".join(f"{key} {number}" for key, number in value.items())


def _from_values(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    with within("values"):
        values = value["values"]
        if not isinstance(values, list):
            raise BadValueError("expected a list of values", _listed_values(quantity))
        if not values:
            raise BadValueError("the list has no values", _listed_values(quantity))
        _check_number_of(values)
        numbers = []
        for index, number in enumerate(values):
            with within(index):
                numbers.append(_number(number, quantity))
    return empirical(numbers, quantity, f"one of {', '.join(map(str, values[:5]))}{', …' if len(values) > 5 else ''}")


def _from_file(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    name, column = value["file"], value["column"]
    with within("file"):
        table = context.table(name)
        _check_number_of(table.rows)
    numbers = []
    with within("column"):
        for line, cell in table.column(column):
            try:
                numbers.append(_number(cell, quantity))
            except BadValueError as mistake:
                hint = mistake.hint if table.shown else None  # it may repeat the value
                raise BadValueError(
                    f"'{name}', line {line}: {table.quoted(cell, 'a value')}: {mistake}", hint
                ) from None
    return empirical(numbers, quantity, f"{column} of {name}")


def _check_number_of(values: Any) -> None:
    if len(values) > MOST_VALUES:
        raise BadValueError(f"expected at most {MOST_VALUES:,} values, not {len(values):,}")


def _listed_values(quantity: Quantity) -> str:
    return f"write for example 'values: [{', '.join(quantity.spread.split(' to '))}]'"


def _by_model(quantity: Quantity) -> str:
    """Return an example of an estimate with `by_model`."""
    low, high = quantity.spread.split(" to ")
    return f"{{by_model: {{claude-sonnet-5: {low}, other: {high}}}}}"


def _in_file(quantity: Quantity) -> str:
    """Return an example of an estimate with `file` and `column`."""
    column = quantity.name.removeprefix("number of ")
    return f"{{file: {column.removesuffix('s')}s.csv, column: {column}}}"


def _from_models(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    with within("by_model"):
        models = value["by_model"]
        if not isinstance(models, dict) or not models:
            raise BadValueError("expected an estimate for each model", f"write for example {_by_model(quantity)}")
        estimates = []
        for name, declared in models.items():
            if context.models is not None and name != OTHER and name not in context.models:
                hint = did_you_mean(name, context.models, "model") or "declare the model under 'models:'"
                raise BadValueError(f"unknown model '{name}'", hint, code="unknown-model", at=(name,), on_key=True)
            with within(name):
                estimate = parse_estimate(declared, quantity, context)
                if isinstance(estimate, ByModel):
                    raise BadValueError(
                        "'by_model' cannot contain another 'by_model'", "give each model a single estimate"
                    )
            estimates.append((name, estimate))
    text = ", ".join(f"{estimate} for {name}" for name, estimate in estimates)
    return ByModel("unbound", math.nan, 0.0, quantity.whole, text=text, models=tuple(estimates))


def _from_arithmetic(value: str, quantity: Quantity, context: FileContext) -> Estimate:
    formulas = parse_formulas(value, quantity, context.parameters)
    text = f"= {' to '.join(formula.text for formula in formulas)}"
    estimate = Arithmetic("unbound", math.nan, 0.0, quantity.whole, text=text, formulas=formulas, quantity=quantity)
    for values in context.trials(name for formula in formulas for name in formula.names):
        estimate.bind(values, None)
    return estimate


@dataclass(frozen=True)
class _Form:
    """One of the forms of estimates that are written as mappings, such as `{p50, p95}`.

    keys : the keys of the form
    all : a hint that tells to give all keys of the form; "" if no such hint is needed
    example : example of the form, the same for all quantities
    """

    keys: tuple[str, ...]
    parse: Callable[[dict[str, Any], Quantity, FileContext], Estimate]
    all: str
    example: str


_FORMS = (
    _Form(("p50", "p95"), _from_percentiles, "give both 'p50' and 'p95'", "{p50: 500, p95: 2k}"),
    _Form(
        ("low", "likely", "high"), _from_triangle, "give 'low', 'likely' and 'high'", "{low: 2, likely: 5, high: 20}"
    ),
    _Form(("values",), _from_values, "", "{values: [3, 5, 8]}"),
    _Form(
        ("file", "column"),
        _from_file,
        "",
        "{file: turns.csv, column: turns}",
    ),
    _Form(("by_model",), _from_models, "", "{by_model: {claude-sonnet-5: 900, other: 1k}}"),
)

_COUNTED = (
    _Form(("text",), prompt_text, "", "{text: You are a reviewer.}"),
    _Form(("file",), prompt_file, "", "{file: prompts/system.md}"),
)
"""Forms that only numbers of tokens may have."""


def _forms(value: dict[str, Any], quantity: Quantity) -> tuple[_Form, ...]:
    """Return the forms that an estimate of the quantity can have.

    Numbers of tokens also have the forms `{text}` and `{file}`. The form `{file}` is left out if `value` has any other
    key, such as `column`.

    value : the estimate, as read from YAML
    """
    if quantity is not TOKENS:
        return _FORMS
    return (*_COUNTED, *_FORMS) if value.keys() == {"file"} else (_COUNTED[0], *_FORMS)
