"""The files that come with the planner: the name of a profile in, its entry out, and only that part is parsed.

All of them take a tenth of a second to parse, one profile about a millisecond; so the files are laid out plainly: the
name of a profile stands alone on its line, indented by two spaces, and all that belongs to it by more.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from planner.catalogue.declaration import SourceDeclaration
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
