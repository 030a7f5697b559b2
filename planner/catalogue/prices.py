"""The table of prices: the name of a model and a tier in, its price out. It has a line for each model.

Only the line that is asked for is parsed: all of them take tens of milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from planner.errors import did_you_mean
from planner.reading.units import BadValueError
from planner.reading.yaml.parse import parse_yaml

STANDARD = "standard"
_LINE = re.compile(r"^  (\S+): (\{.*\})$", re.MULTILINE)
_HEAD = re.compile(r"^(source|as_of|url): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Listed:
    """US dollars per million tokens as a profile declares them, and the prompt above which it costs more, in tokens."""

    price: dict[str, Any]
    above: int | None


@cache
def _text() -> str:
    return files("planner.catalogue").joinpath("data", "prices.yaml").read_text(encoding="utf-8")


@cache
def _lines() -> dict[str, str]:
    return dict(_LINE.findall(_text()))


@cache
def origin() -> tuple[str, date, str]:
    """Title, date and address of the table."""
    head = dict(_HEAD.findall(_text()))
    return head["source"], date.fromisoformat(head["as_of"]), head["url"]


def listed(reference: dict[str, Any]) -> Listed:
    """The price of `{table: anthropic/claude-opus-4-8, tier: fast}`. Raises `BadValueError`."""
    for key in reference.keys() - {"table", "tier"}:
        raise BadValueError(
            f"unknown key '{key}'", did_you_mean(key, ("table", "tier")), code="unknown-key", at=(key,), on_key=True
        )
    name, tier = reference["table"], reference.get("tier", STANDARD)
    if not isinstance(name, str) or name not in _lines():
        near = did_you_mean(str(name), _lines()) or ""
        hint = near if near.startswith("did") else "see planner/catalogue/data/prices.yaml, or give input and output"
        raise BadValueError(f"the table of prices has no '{name}'", hint, at=("table",))
    row = parse_yaml(_lines()[name]).data
    above = row.pop("above", None)
    if not isinstance(tier, str) or tier not in row:
        raise BadValueError(f"the table has no tier '{tier}' of '{name}'", did_you_mean(str(tier), row), at=("tier",))
    return Listed(row[tier], above if tier == STANDARD else None)
