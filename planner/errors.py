"""Problems of an input, with place, reason and remedy, and the `InputError` that holds them; notes on a result."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import wrap
from typing import Any

MOST = 100
"""Most problems of one kind of check that are worked out; a file with more has one fault many times."""

_LONG, _BEFORE = 70, 35
"""Most characters of a source line that are shown, and of those before the caret where it is longer."""

_WIDTH = 80
"""Columns that hints are wrapped to."""

_LONGEST = 1000
"""Most characters of a message that are shown."""

_PART = 4
"""Characters from which a name may be meant as a part of another."""

_FEW = 8
"""Most known models that are all told where none is near."""

_CONTROL_PICTURES = 0x2400


class Note:
    """A sentence as data. `planner.report.wording.notes` has the words of each code.

    It is no dataclass, so that `dataclasses.asdict` of a result leaves notes in words as texts.
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
    """A place in a file: 1-based line and column, the width of what is meant, and the whole line. Line 0: the file."""

    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One mistake. `code` names its section in docs/reference/errors.md; `hint` says what to write instead.

    argument : of a request, as in `planner.api`; a front end writes its name for it before the message
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
            lines += wrap(
                printable(f"  help: {self.hint}"), _WIDTH,
                subsequent_indent="    ", break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        return "\n".join(lines)


class InputError(Exception):
    """The input is wrong; the message shows every problem, in the order of the file.

    more : there may be more problems than these
    """

    def __init__(self, problems: Iterable[Problem], more: bool = False) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.position is None, problem.position or 0)))
        self.more = more
        count = len(self.problems)
        summary = f"{count} problem{'s' if count != 1 else ''}{', and there may be more' if more else ''}"
        super().__init__("\n\n".join([*map(str, self.problems), summary]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.more)


class Offered(str):
    """A name that may be meant; one that is `withdrawn` only where no other is."""

    @property
    def withdrawn(self) -> bool:
        return False


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint for a misspelt name: the nearest known one, or up to three that it is a part of, else all of them."""
    names = sorted(set(known))
    offered = [one for one in names if not (isinstance(one, Offered) and one.withdrawn)]
    exact = nearest(name, names, 0.9)
    near = [exact] if exact else meant(name, offered) or meant(name, names)
    if near:
        quoted = [f"'{one}'" for one in near]
        return f"did you mean {' or '.join([', '.join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)}?"
    return f"known: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else None


def model_hint(name: str, known: Collection[str]) -> str:
    """`did_you_mean` of a model; where none is near, a catalogue has too many to tell."""
    near = did_you_mean(name, known)
    return near if near and (near.startswith("did") or len(known) <= _FEW) else "'planner models' lists all"


def nearest(name: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The known name that a misspelt one most resembles, if any does, as `difflib` measures it; case does not count."""
    folded = {other.casefold(): other for other in known}
    if len(folded) > 2000 or len(name) > 200:  # that many comparisons take seconds
        return folded.get(name.casefold())
    near = get_close_matches(name.casefold(), folded, 1, alike)
    return folded[near[0]] if near else None


def meant(name: str, known: Iterable[str]) -> list[str]:
    """The known name that a misspelt one closely resembles; else up to three that it is a part of, the shortest first;
    else the longest that it begins with and a dash; else the one that it resembles most. Case does not count."""
    names, asked = list(known), name.casefold()
    parts = [other for other in names if asked in other.casefold()] if len(asked) >= _PART else []
    close = nearest(name, names, 0.8)
    begun = [other for other in names if asked.startswith(f"{other.casefold()}-")]
    near = None if close or parts else max(begun, key=len, default=None) or nearest(name, names)
    return [close] if close else sorted(parts, key=len)[:3] or ([near] if near else [])


def printable(text: str) -> str:
    """`text` on one line, with stand-ins for what a terminal would obey or not show, and of a bearable length."""
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if ord(character) < 0x20:
        return chr(_CONTROL_PICTURES + ord(character))
    return "␣" if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def _excerpt(position: Position) -> tuple[str, str]:
    """The source line, cut where it is long, and carets that stand under what is meant; tabs stay tabs in both."""
    text, at = position.text, min(position.column - 1, len(position.text))
    low = max(0, min(at - _BEFORE, len(text) - _LONG))
    high = low + _LONG
    before, marked, after = (
        text[low:at],
        text[at : at + position.width][: high - at],
        text[:high][at + position.width :],
    )
    before, after = "…" * (low > 0) + before, after + "…" * (high < len(text))
    indent = "".join("\t" if character == "\t" else " " * _columns(character) for character in before)
    carets = "^" * max(1, sum(map(_columns, marked)))
    return "\t".join(map(printable, f"{before}{marked}{after}".split("\t"))), indent + carets


def _columns(character: str) -> int:
    """Columns that a character takes on a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
