"""Pay of people, tools and crews: an amount of US dollars for each go, or a rate per hour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from planner.reading.hints import rate_meant
from planner.reading.units import BadValueError, money

_EXPECTED = "expected an amount of US dollars, such as 0.50, or a rate per hour, such as $80/h"
_PLAIN_HINT = re.compile(r"^write ([\d._]+)$")
_RATE = re.compile(r"(.*\S)\s*(?:/|\b(?:per|an)\b)\s*(?:h|hr|hour)", re.DOTALL)


@dataclass(frozen=True)
class Pay:
    """The price of the work of a tool, a person or the agents of a crew.

    usd : US dollars per hour if `hourly`. Otherwise US dollars for each use: a call of a tool, an answer of a person,
        or the seizing of an agent
    """

    usd: Decimal
    hourly: bool = False


def pay(value: Any) -> Pay:
    """Parse pay in US dollars: a fixed amount, such as `0.50`, or a rate, such as `$80/h` or `$80 per hour`."""
    rate = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        return Pay(money(value)) if rate is None else Pay(money(rate[1]), hourly=True)
    except BadValueError as mistake:
        if not str(mistake).startswith("expected"):
            raise
        hint = mistake.hint
        if rate is not None and hint is not None:
            hint = _PLAIN_HINT.sub(r"write $\1/h", hint).replace("only the number", "only the number and '/h'")
        elif isinstance(value, str):
            hint = rate_meant(value) or hint
        raise BadValueError(_EXPECTED, hint) from None
