"""The name of a built-in profile or source in, its entry in the built-in catalogue files out.

Only the requested entry is parsed: one takes about a millisecond, all take a tenth of a second. Regular expressions
find the entries, so the files have a fixed layout: the name of a profile is alone on its line, indented by two spaces,
and the lines of its entry are indented further.
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
    """Return the text of a built-in file, by its name without extension."""
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
    """Return the entry of a profile; None if there is no such profile."""
    lines = _entries().get(name)
    return None if lines is None else dict(parse_yaml(lines, name).data)


@cache
def source(name: str) -> SourceDeclaration | None:
    """Return a source; None if there is no such source."""
    line = _sources().get(name)
    return None if line is None else SourceDeclaration.model_validate(parse_yaml(line, name).data)
