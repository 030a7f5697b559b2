"""The files that come with the planner: the name of a profile in, its entry out, and only that part is parsed.

All of them take a tenth of a second to parse, one profile about a millisecond; so the files are laid out plainly: the
name of a profile stands alone on its line, indented by two spaces, and all that belongs to it by more.
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
    """The text of a file of data, by its name without extension."""
    return files("planner.catalogue").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")


@cache
def _entries() -> dict[str, str]:
    return {name: lines for file in FILES for name, lines in _ENTRY.findall(text(file))}


@cache
def _sources() -> dict[str, str]:
    return dict(_SOURCE.findall(text("sources")))


def names() -> tuple[str, ...]:
    """The names of all profiles, in the order of the files."""
    return tuple(_entries())


def entry(name: str) -> dict[str, Any] | None:
    """What a file says about a profile; None if there is none of that name."""
    found = _entries().get(name)
    return None if found is None else dict(parse_yaml(found, name).data)


@cache
def source(name: str) -> SourceDeclaration | None:
    """A source by its name."""
    found = _sources().get(name)
    return None if found is None else SourceDeclaration.model_validate(parse_yaml(found, name).data)


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
