"""A reference to the table of list prices in, a price out.

Only the requested line of the table is parsed, because all of it would take too long at every start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from planner.catalogue.builtin_files import text
from planner.errors import did_you_mean
from planner.reading.units import BadValueError
from planner.reading.yaml.parse import parse_yaml

STANDARD = "standard"
_LINE = re.compile(r"^  (\S+): (\{.*\})$", re.MULTILINE)
_HEAD = re.compile(r"^(source|as_of|url): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class ListedPrice:
    """A price from the table.

    price : US dollars per million tokens, as a profile declares them
    above : prompt length in tokens above which requests cost more; None: there is no such length
    """

    price: dict[str, Any]
    above: int | None


@cache
def _text() -> str:
    return text("prices")


@cache
def _lines() -> dict[str, str]:
    return dict(_LINE.findall(_text()))


@cache
def origin() -> tuple[str, date, str]:
    """Title, date and URL of the table."""
    head = dict(_HEAD.findall(_text()))
    return head["source"], date.fromisoformat(head["as_of"]), head["url"]


def listed_price(reference: dict[str, Any]) -> ListedPrice:
    """Look up a reference such as `{table: anthropic/claude-opus-4-8, tier: fast}`. Raises `BadValueError`."""
    for key in reference.keys() - {"table", "tier"}:
        raise BadValueError(
            f"unknown key '{key}'", did_you_mean(key, ("table", "tier")), code="unknown-key", at=(key,), on_key=True
        )
    name, tier = reference["table"], reference.get("tier", STANDARD)
    if not isinstance(name, str) or name not in _lines():
        suggestion = did_you_mean(str(name), _lines()) or ""
        hint = (
            suggestion
            if suggestion.startswith("did")
            else "see planner/catalogue/data/prices.yaml, or give input and output"
        )
        raise BadValueError(f"the price table has no '{name}'", hint, at=("table",))
    row = parse_yaml(_lines()[name]).data
    above = row.pop("above", None)
    if not isinstance(tier, str) or tier not in row:
        raise BadValueError(
            f"the price table has no tier '{tier}' of '{name}'", did_you_mean(str(tier), row), at=("tier",)
        )
    return ListedPrice(row[tier], above if tier == STANDARD else None)
