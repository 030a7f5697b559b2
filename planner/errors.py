"""Types for the problems of an input (`Problem`, `InputError`) and for notes on a result (`Note`).

The module also makes hints that suggest the right name for a misspelt name.
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
"""Most problems that one check reports. A file with more problems usually repeats a single mistake."""

_EXCERPT, _EXCERPT_BEFORE = 70, 35
"""Most characters shown of a source line. The excerpt from a longer line usually begins `_EXCERPT_BEFORE` characters
before the caret."""

_WIDTH = 80
"""Columns at which hints are wrapped."""

_EXAMPLE = re.compile(r"(?:\S+: )?\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}")
"""An example in a hint, such as `tool: {time: 5s}`. It is not broken over lines."""

_MOST_CHARACTERS = 1000
"""Most characters shown of a message."""

_SHORTEST_PART = 4
"""A misspelt name with fewer characters is not looked up as a part of longer names."""

_MOST_LISTED_MODELS = 8
"""Most models that a hint lists if no model has a similar name."""

_MOST_COMPARED, _LONGEST_COMPARED = 2000, 200
"""Most names that are compared with a misspelt name, and most characters of the misspelt name. To compare more would
take seconds."""

_CONTROL_PICTURES = 0x2400
"""First of the Unicode characters that picture control characters. The control characters have the same order."""


class Note:
    """A sentence that is stored as data: a code and values.

    The module `planner.report.wording.notes` has the words for each code.
    """

    # This is not a dataclass, because `dataclasses.asdict` of a result would convert its notes to mappings.

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
    """A place in a file.

    line : line number from 1; 0 means the whole file
    column : column number from 1
    width : number of characters to mark
    text : text of the line
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
    """A mistake in the input.

    code : kind of mistake; docs/reference/errors.md has a section for each code
    hint : text that says what to write instead
    argument : name of the wrong argument in `planner.api`; the command line shows the name of the option instead
    remedy : a `Note` that replaces `hint` if the hint names arguments
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
    """Error for mistakes in the input. The message shows all problems in the order of their positions.

    more : whether there may be problems that are not listed
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
    """A name that hints can suggest, such as the name of a profile.

    withdrawn : function that returns whether the name is out of use, like the name of a retired profile. The function
        is called when a hint is made

    A name that is out of use is suggested if the misspelt name is almost equal to it. It is also suggested if no name
    in use is similar.
    """

    withdrawn: Callable[[], bool]

    @classmethod
    def of(cls, name: str, withdrawn: Callable[[], bool]) -> Self:
        candidate = cls(name)
        candidate.withdrawn = withdrawn
        return candidate


def listed(names: Iterable[str], conjunction: str = "and") -> str:
    """Join names for a sentence, such as `'a', 'b' and 'c'`."""
    *first, last = [f"'{name}'" for name in names]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def for_example(key: str, example: str) -> str:
    """Return a hint that shows how to write a key.

    example : value of the key, or several values that are separated by " or "
    """
    return "write for example " + " or ".join(f"'{key}: {value}'" for value in example.split(" or "))


def did_you_mean(name: str, names: Iterable[str], kind: str = "name") -> str | None:
    """Return a hint for a misspelt name; None if `names` is empty.

    The hint suggests up to three similar names. If no name is similar, the hint lists up to 20 of `names`.

    kind : word for the named things, such as "model"
    """
    candidates = sorted(set(names))
    current = [other for other in candidates if not (isinstance(other, CandidateName) and other.withdrawn())]
    almost = nearest(name, candidates, 0.9)
    similar = [almost] if almost else similar_names(name, current) or similar_names(name, candidates)
    if similar:
        return f"did you mean {listed(similar, 'or')}?"
    if not candidates:
        return None
    if len(candidates) == 1:
        return f"the only known {kind} is '{candidates[0]}'"
    plural = kind + ("es" if kind.endswith("s") else "s")
    return f"the known {plural} {'include' if len(candidates) > 20 else 'are'} {listed(candidates[:20])}"


def model_hint(name: str, names: Collection[str]) -> str:
    """Return a hint for a misspelt name of a model.

    The hint suggests similar names. If no name is similar, the hint lists all names. A long list is replaced by the
    name of the command that lists the models.
    """
    hint = did_you_mean(name, names, "model")
    if hint and (hint.startswith("did") or len(names) <= _MOST_LISTED_MODELS):
        return hint
    return "the command 'planner models' lists all models"


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that is most similar to `name`, ignoring case. Return None if no name is similar enough.

    To save time, similarity is not computed for a very long `name` or for very many names. The result is then a name
    that is equal to `name` except for case.

    cutoff : smallest similarity by difflib's ratio, from 0 to 1
    """
    folded = {other.casefold(): other for other in names}
    if len(folded) > _MOST_COMPARED or len(name) > _LONGEST_COMPARED:
        return folded.get(name.casefold())
    matches = get_close_matches(name.casefold(), folded, 1, cutoff)
    return folded[matches[0]] if matches else None


def similar_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that a misspelt `name` may mean, ignoring case. The list is empty if there are no such names.

    These rules are tried in order, until a rule finds a name:

    1. The most similar name, if it is very similar.
    2. Up to three names that contain `name`, the shortest first.
    3. The longest name that `name` begins with, if a dash follows. For example, `sonnet-5` finds `sonnet`.
    4. The most similar name, if it is somewhat similar.
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
    """Return `text` with visible characters instead of line ends and invisible characters. A long text is shortened."""
    text = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if ord(character) < 0x20:
        return chr(_CONTROL_PICTURES + ord(character))
    return "␣" if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def _excerpt(position: Position) -> tuple[str, str]:
    """Return two lines: the source line at a position, and a line with carets under the marked part.

    A long source line is shortened. Tabs are kept in both lines.
    """
    text, start = position.text, min(position.column - 1, len(position.text))
    low = max(0, min(start - _EXCERPT_BEFORE, len(text) - _EXCERPT))
    high = low + _EXCERPT
    before, marked, after = (
        text[low:start],
        text[start : start + position.width][: high - start],
        text[:high][start + position.width :],
    )
    before, after = "…" * (low > 0) + before, after + "…" * (high < len(text))
    indent = "".join("\t" if character == "\t" else " " * columns_of(character) for character in before)
    carets = "^" * max(1, columns_of(marked))
    return "\t".join(map(printable, f"{before}{marked}{after}".split("\t"))), indent + carets


def columns_of(text: str) -> int:
    """Return the number of columns that a text takes on a terminal. Chinese characters and emoji take two each."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
