"""Problems of an input, with place, reason and remedy, and the `InputError` that carries them; notes on a result.

The module also makes the hints that suggest the right name for a misspelt name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import wrap
from typing import Any, Self

MOST_PROBLEMS = 100
"""Most problems that one check reports; a file with more usually repeats a single mistake."""

_EXCERPT, _EXCERPT_BEFORE = 70, 35
"""Most characters that are shown of a source line, and of the part before the caret if the line is longer than that."""

_WIDTH = 80
"""Columns at which hints are wrapped."""

_EXAMPLE = re.compile(r"(?:\S+: )?\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}")
"""An example in a hint, such as `tool: {time: 5s}`. It is not broken over lines."""

_MOST_CHARACTERS = 1000
"""Most characters shown of a message."""

_SHORTEST_PART = 4
"""Shortest name, in characters, that is looked up as a part of longer names."""

_MOST_LISTED_MODELS = 8
"""Most models that a hint lists if none has a similar name."""

_MOST_COMPARED, _LONGEST_COMPARED = 2000, 200
"""Most names that are compared by similarity, and most characters of a misspelt name. More would take seconds."""

_CONTROL_PICTURES = 0x2400
"""First of the Unicode characters that are pictures of control characters, in the same order."""


class Note:
    """A sentence as data: a code and values. `planner.report.wording.notes` has the words for each code.

    This class is not a dataclass, because `dataclasses.asdict` of a result would convert a dataclass to a mapping.
    """

    def __init__(self, code: str, values: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.values: Mapping[str, Any] = values or {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Note) and (self.code, self.values) == (other.code, other.values)

    def __hash__(self) -> int:
        return hash(self.code)

    def __repr__(self) -> str:
        return f"Note({self.code!r}, {dict(self.values)!r})"


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file: 1-based line and column, the width to mark in characters, and the line's text.

    Line 0 means the whole file.
    """

    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One mistake. `code` is its section in docs/reference/errors.md; `hint` says what to write instead.

    argument : the wrong argument, as it is called in `planner.api`; front ends show their own name for it
    remedy : a hint that names arguments, for a front end to put into words
    """

    code: str
    message: str
    position: Position | None = None
    hint: str | None = None
    argument: str | None = None
    remedy: Note | None = None

    def __str__(self) -> str:
        place = f"{self.position or self.argument}: " if self.position or self.argument else ""
        lines = [printable(f"{place}{self.message} [{self.code}]")]
        if self.position and self.position.text:
            number = str(self.position.line)
            text, carets = _excerpt(self.position)
            lines += [f"  {number} | {text}", f"  {' ' * len(number)} | {carets}"]
        if self.hint:
            hint = _EXAMPLE.sub(lambda example: example[0].replace(" ", "\xa0"), printable(f"  help: {self.hint}"))
            wrapped = wrap(hint, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
            lines += [line.replace("\xa0", " ") for line in wrapped]
        return "\n".join(lines)


class InputError(Exception):
    """The input has mistakes. The message shows every problem, in the order of the file.

    more : whether there may be further problems
    """

    def __init__(self, problems: Iterable[Problem], more: bool = False) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.position is None, problem.position or 0)))
        self.more = more
        count = len(self.problems)
        summary = f"{count} problem{'s' if count != 1 else ''}{', and there may be more' if more else ''}"
        super().__init__("\n\n".join([*map(str, self.problems), summary]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.more)


class CandidateName(str):
    """A name that hints may suggest.

    withdrawn : function that is called when a hint is made. If it returns True, the name is suggested only if it is
        almost the same as the misspelt name, or no other name is similar.
    """

    withdrawn: Callable[[], bool]

    @classmethod
    def of(cls, name: str, withdrawn: Callable[[], bool]) -> Self:
        candidate = cls(name)
        candidate.withdrawn = withdrawn
        return candidate


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """Return a hint for a misspelt name: up to three similar names, else a list of all names (at most 20).

    Returns None if there are no names.
    """
    candidates = sorted(set(names))
    current = [other for other in candidates if not (isinstance(other, CandidateName) and other.withdrawn())]
    almost = nearest(name, candidates, 0.9)
    similar = [almost] if almost else similar_names(name, current) or similar_names(name, candidates)
    if similar:
        quoted = [f"'{other}'" for other in similar]
        return f"did you mean {' or '.join([', '.join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)}?"
    if not candidates:
        return None
    return f"known: {', '.join(candidates[:20])}{', …' if len(candidates) > 20 else ''}"


def model_hint(name: str, names: Collection[str]) -> str:
    """Return a hint for a misspelt model: similar names, else a list of all names if it is short."""
    hint = did_you_mean(name, names)
    if hint and (hint.startswith("did") or len(names) <= _MOST_LISTED_MODELS):
        return hint
    return "the command 'planner models' lists all models"


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the most similar of `names` by difflib's ratio, ignoring case; None if all are below `cutoff`."""
    folded = {other.casefold(): other for other in names}
    if len(folded) > _MOST_COMPARED or len(name) > _LONGEST_COMPARED:
        return folded.get(name.casefold())
    matches = get_close_matches(name.casefold(), folded, 1, cutoff)
    return folded[matches[0]] if matches else None


def similar_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that a misspelt `name` may mean, ignoring case; empty if there are none.

    The rules are tried in this order, until one finds a name:

    1. the most similar name, if it is very similar;
    2. up to three names that contain `name`, the shortest first;
    3. the longest name with which `name` begins, followed by a dash;
    4. the most similar name, if it is somewhat similar.
    """
    names, folded = list(names), name.casefold()
    close = nearest(name, names, 0.8)
    if close:
        return [close]
    if len(folded) >= _SHORTEST_PART:
        containing = [other for other in names if folded in other.casefold()]
        if containing:
            return sorted(containing, key=len)[:3]
    prefixes = [other for other in names if folded.startswith(f"{other.casefold()}-")]
    similar = max(prefixes, key=len, default=None) or nearest(name, names)
    return [similar] if similar else []


def printable(text: str) -> str:
    """Return `text` on one line, shortened if long. Control and invisible characters are replaced by visible ones."""
    text = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if ord(character) < 0x20:
        return chr(_CONTROL_PICTURES + ord(character))
    return "␣" if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def _excerpt(position: Position) -> tuple[str, str]:
    """Return the source line, shortened if long, and the carets under the marked part. Tabs stay tabs in both."""
    text, start = position.text, min(position.column - 1, len(position.text))
    low = max(0, min(start - _EXCERPT_BEFORE, len(text) - _EXCERPT))
    high = low + _EXCERPT
    before, marked, after = (
        text[low:start],
        text[start : start + position.width][: high - start],
        text[:high][start + position.width :],
    )
    before, after = "…" * (low > 0) + before, after + "…" * (high < len(text))
    indent = "".join("\t" if character == "\t" else " " * _columns(character) for character in before)
    carets = "^" * max(1, sum(map(_columns, marked)))
    return "\t".join(map(printable, f"{before}{marked}{after}".split("\t"))), indent + carets


def _columns(character: str) -> int:
    """Width of a character on a terminal, in columns."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
