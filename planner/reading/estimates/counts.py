"""A declared count in, a whole number out.

A count is a number, a parameter or an expression. A number of items may also be an estimate.
"""

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
from planner.reading.estimates.context import NO_FILE, FileContext
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import ByModel, parse_estimate
from planner.reading.units import BadValueError, Quantity

MOST_ITEMS = 10_000_000
MOST_AGENTS = 100_000

ITEMS = Quantity("number of items", units.count, "120", "80 to 150", whole=True, least=1.0, most=MOST_ITEMS)

_EXPECTED = "expected a whole number of at least 1, or the name of a parameter"
_PLAIN = Quantity("count", units.count, "12", "8 to 20")


@dataclass(frozen=True)
class ComputedCount:
    """A count that is given by an expression, such as `= modules / 4`.

    most : largest allowed count
    """

    formula: Formula
    most: int = MOST_ITEMS

    def value(self, values: Mapping[str, float]) -> int:
        """Return the value of the count's expression.

        values : value of each name in the expression

        Raises `BadValueError` if the value is not a whole number from 1 to `most`.
        """
        number = self.formula.value(values)
        rounded = float(math.floor(number + 0.5))
        # 0.1 * 3 * 10 is not exactly 3 in floating point
        number = rounded if math.isclose(number, rounded, rel_tol=1e-9) else number
        try:
            return units.whole(number, self.most)
        except BadValueError as mistake:
            hint = f"write '= ceil({self.formula.text})' to round the number up" if number != rounded else mistake.hint
            message = f"'= {self.formula.text}' is {self.formula.shown(number)}, but a count {mistake}"
            raise BadValueError(message, hint) from None

    def __str__(self) -> str:
        return f"= {self.formula.text}"


CountValue = int | str | ComputedCount
ItemCountValue = int | str | ComputedCount | Estimate


def parse_count(value: Any, most: int, context: FileContext = NO_FILE, agents: bool = True) -> CountValue:
    """Parse a count: a whole number from 1 to `most`, the name of a parameter, or an expression.

    agents : whether an expression can use the number of agents

    Raises `BadValueError` if `value` is not a count.
    """
    if is_arithmetic(value):
        return _computed(value, most, context, agents)
    if isinstance(value, str) and value.isidentifier():
        return value
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise BadValueError(_EXPECTED)
    try:
        return units.whole(value, most)
    except BadValueError as mistake:
        if str(mistake).startswith("expected"):
            raise BadValueError(_EXPECTED, mistake.hint) from None
        raise


def parse_item_count(value: Any, context: FileContext = NO_FILE) -> ItemCountValue:
    """Parse the number of items of a fan-out. This number is a count or an estimate.

    An estimate with a single possible value becomes an int.

    Raises `BadValueError` if `value` is neither a count nor an estimate.
    """
    is_range = isinstance(value, str) and re.search(r"\S\s+to\s+\S", value)
    if value == []:
        raise BadValueError(
            "expected a number of items, not an empty list", "write for example 'for_each: 12', or remove the step"
        )
    if isinstance(value, list):
        raise BadValueError(
            "expected a number of items, not a list",
            f"write 'for_each: {len(value)}', or name a CSV file of the items: 'for_each: {{file: rows.csv}}'",
        )
    if isinstance(value, str) and value.strip().lower().endswith((".csv", ".json", ".jsonl", ".yaml", ".txt")):
        file = value.strip()
        hint = (
            f"to make each row of the file an item, write 'for_each: {{file: {file}}}'"
            if file.lower().endswith(".csv")
            else "write the number of items, or convert the file to CSV, and write 'for_each: {file: rows.csv}'"
        )
        raise BadValueError("expected a number of items, not the name of a file", hint)
    if not isinstance(value, dict) and not is_range:
        return parse_count(value, MOST_ITEMS, context)
    estimate = parse_estimate(value, ITEMS, context)
    if isinstance(estimate, ByModel):
        raise BadValueError("the number of items cannot depend on the model", "give one estimate for all models")
    return int(estimate.scale) if estimate.shape == "constant" else estimate


def count_of(declared: CountValue, values: Mapping[str, float]) -> int:
    """Return the number for a declared count.

    values : value of each parameter, and the number of agents under the name `agents`

    Raises `BadValueError` if the number is invalid, or if a parameter is unknown.
    """
    if isinstance(declared, ComputedCount):
        return declared.value(values)
    if isinstance(declared, int):
        return declared
    if declared not in values:
        unknown_parameter(declared, values)
    return units.whole(values[declared], MOST_ITEMS)


def _computed(value: str, most: int, context: FileContext, agents: bool) -> ComputedCount:
    formulas = parse_formulas(value, _PLAIN, context.parameters)
    if len(formulas) > 1:
        raise BadValueError("this count cannot be a range", "write an expression for one number, without 'to'")
    if not agents and AGENTS in formulas[0].names:
        raise BadValueError("the number of agents cannot depend on itself", "remove 'agents' from the expression")
    count = ComputedCount(formulas[0], most)
    for values in context.trials(formulas[0].names):
        count.value(values)
    return count
