"""Look up profiles, sources and prices by name in the built-in catalogue files.

Only the requested entry is parsed. One entry takes about a millisecond, all entries take a tenth of a second. Regular
expressions find the entries, so the files have a fixed layout: the name of a profile is alone on its line, indented by
two spaces, and the lines of its entry are indented further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from planner.catalogue.declaration import SourceDeclaration
from planner.errors import did_you_mean
from planner.reading.units import BadValueError
from planner.reading.yaml.parse import parse_yaml

FILES = ("anthropic", "openai", "google", "zai", "fast_hardware", "self_hosted")

_ENTRY = re.compile(r"^  ([^\s:#][^\s:]*):\n((?:    .*\n)+)", re.MULTILINE)
_SOURCE = re.compile(r"^  (\S+): (\{.*\})$", re.MULTILINE)


def text(name: str) -> str:
    """Return the text of a built-in file.

    name : name of the file without extension
    """
    return files("planner.catalogue").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")


@cache
def _entries() -> dict[str, str]:
    return {name: lines for file in FILES for name, lines in _ENTRY.findall(text(file))}


@cache
def _sources() -> dict[str, str]:
    return dict(_SOURCE.findall(text("sources")))


def names() -> tuple[str, ...]:
    """Names of all built-in profiles, in the order of the files."""
    return tuple(_entries())


def entry(name: str) -> dict[str, Any] | None:
    """Return the entry of a built-in profile. Return None if no built-in profile has this name."""
    lines = _entries().get(name)
    return None if lines is None else dict(parse_yaml(lines, name).data)


def based_on(base: str) -> list[str]:
    """Return the names of all built-in profiles that are based on the profile `base`."""
    line = f"based_on: {base}\n"
    return [name for name, lines in _entries().items() if line in lines]


@cache
def source(name: str) -> SourceDeclaration | None:
    """Return a source of numbers by its name. Return None if no built-in source has this name."""
    line = _sources().get(name)
    return None if line is None else SourceDeclaration.model_validate(parse_yaml(line, name).data)


STANDARD = "standard"
_LINE = re.compile(r"^  (\S+): (\{.*\})$", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_HEAD = re.compile(r"^(source|as_of|url): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class ListedPrice:
    """A price from the built-in price table.

    price : for each kind of token, US dollars per million tokens
    above : prompt length in tokens above which requests cost more; None if there is no such length
    later : prices that replace this one, each with its first day
    """

    price: dict[str, Any]
    above: int | None
    later: tuple[tuple[date, dict[str, Any]], ...] = ()


@cache
def _text() -> str:
    return text("prices")


@cache
def _lines() -> dict[str, str]:
    return dict(_LINE.findall(_text()))


@cache
def origin() -> tuple[str, date, str]:
    """Title, date and URL of the built-in price table."""
    head = dict(_HEAD.findall(_text()))
    return head["source"], date.fromisoformat(head["as_of"]), head["url"]


def listed_price(reference: dict[str, Any]) -> ListedPrice:
    """Return the price for a reference such as `{table: anthropic/claude-opus-4-8, tier: fast}`.

    Raises `BadValueError` if the price table has no such model or tier, or if the reference has an unknown key.
    """
    for key in reference.keys() - {"table", "tier"}:
        raise BadValueError(
            f"unknown key '{key}'",
            did_you_mean(key, ("table", "tier"), "key"),
            code="unknown-key",
            at=(key,),
            on_key=True,
        )
    name, tier = reference["table"], reference.get("tier", STANDARD)
    if not isinstance(name, str) or name not in _lines():
        suggestion = did_you_mean(str(name), _lines()) or ""
        hint = (
            suggestion
            if suggestion.startswith("did")
            else "choose a model of planner/catalogue/data/prices.yaml, or give 'input' and 'output' instead of 'table'"
        )
        raise BadValueError(f"the price table has no model '{name}'", hint, at=("table",))
    row = parse_yaml(_lines()[name]).data
    above = row.pop("above", None)
    later = {date.fromisoformat(key): row.pop(key) for key in [key for key in row if _DATE.fullmatch(key)]}
    if not isinstance(tier, str) or tier not in row:
        raise BadValueError(
            f"the price table has no tier '{tier}' of the model '{name}'",
            did_you_mean(str(tier), row, "tier"),
            at=("tier",),
        )
    changes = tuple((day, prices[tier]) for day, prices in later.items() if tier in prices)
    return ListedPrice(row[tier], above if tier == STANDARD else None, changes)
