"""Counts: a whole number, the name of a parameter, or arithmetic; and numbers of items, which may be estimates."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.reading import units
from planner.reading.estimates.arithmetic import (
    AGENTS,
    Formula,
    is_arithmetic,
    parse_formulas,
    unknown_parameter,
)
from planner.reading.estimates.context import NOWHERE, FileContext
from planner.reading.estimates.estimate import ByModel, Estimate, parse_estimate
from planner.reading.units import BadValueError, Quantity

MOST_ITEMS = 10_000_000
MOST_AGENTS = 100_000

ITEMS = Quantity("number of items", units.count, "120", "80 to 150", whole=True, least=1.0, most=MOST_ITEMS)

_EXPECTED = "expected a whole number from 1, or the name of a parameter"
_PLAIN = Quantity("count", units.count, "12", "8 to 20")


@dataclass(frozen=True)
class ComputedCount:
    """A count that is computed: `= modules / 4`."""

    formula: Formula
    most: int = MOST_ITEMS

    def value(self, values: Mapping[str, float]) -> int:
        """Its number, from 1 to `most`. Raises `BadValueError`."""
        number = self.formula.value(values)
        near = float(math.floor(number + 0.5))
        number = near if math.isclose(number, near, rel_tol=1e-9) else number  # 0.1 * 3 * 10 is not 3 to the bit
        try:
            return units.whole(number, self.most)
        except BadValueError as mistake:
            hint = f"ceil({self.formula.text}) rounds it up" if number != near else mistake.hint
            message = f"'= {self.formula.text}' is {self.formula.shown(number)}, and as a count it {mistake}"
            raise BadValueError(message, hint) from None

    def __str__(self) -> str:
        return f"= {self.formula.text}"


CountValue = int | str | ComputedCount
ItemCountValue = int | str | ComputedCount | Estimate


def parse_count(value: Any, most: int, around: FileContext = NOWHERE, agents: bool = True) -> CountValue:
    """A whole number from 1 to `most`, the name of a parameter, or arithmetic. Raises `BadValueError`.

    agents : whether arithmetic may take the number of agents
    """
    if is_arithmetic(value):
        return _computed(value, most, around, agents)
    if isinstance(value, str) and value.isidentifier():
        return value
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise BadValueError(_EXPECTED)
    try:
        return units.whole(value, most)
    except BadValueError as mistake:
        if str(mistake).startswith("expected"):
            raise BadValueError(_EXPECTED) from None
        raise


def parse_item_count(value: Any, around: FileContext = NOWHERE) -> ItemCountValue:
    """A count of items, or an estimate of it; one that is known exactly is a count. Raises `BadValueError`."""
    ranges = isinstance(value, str) and re.search(r"\S\s+to\s+\S", value)
    if not isinstance(value, dict) and not ranges:
        return parse_count(value, MOST_ITEMS, around)
    estimate = parse_estimate(value, ITEMS, around)
    if isinstance(estimate, ByModel):
        raise BadValueError("the number of items does not depend on a model", "give it one estimate")
    return int(estimate.scale) if estimate.shape == "constant" else estimate


def count_of(declared: CountValue, values: Mapping[str, float]) -> int:
    """The number that a count stands for. Raises `BadValueError`.

    values : of the parameters, and of `agents`
    """
    if isinstance(declared, ComputedCount):
        return declared.value(values)
    if isinstance(declared, int):
        return declared
    if declared not in values:
        unknown_parameter(declared, values)
    return units.whole(values[declared], MOST_ITEMS)


def _computed(value: str, most: int, around: FileContext, agents: bool) -> ComputedCount:
    formulas = parse_formulas(value, _PLAIN, around.parameters)
    if len(formulas) > 1:
        raise BadValueError("this count cannot be a range", "write arithmetic for one number")
    if not agents and AGENTS in formulas[0].names:
        raise BadValueError("the number of agents cannot depend on itself", "write a number, or a parameter")
    count = ComputedCount(formulas[0], most)
    for values in around.trials(formulas[0].names):
        count.value(values)
    return count
