"""Lines of terminal text: at most 80 columns, names shortened, notes at the end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from planner.errors import Note, printable
from planner.report.wording.notes import worded

WIDTH = 80
"""Columns of the terminal."""

BAR = 30
"""Columns of a bar that shows a share of 1."""


def wrap(text: str, width: int = WIDTH) -> list[str]:
    """Lines of at most `width` columns. A line never ends between `±` and its number."""
    unbroken = text.replace("± ", "±\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(unbroken, width, subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace("±\N{NO-BREAK SPACE}", "± ") for line in lines]


def wrap_all(texts: Iterable[str]) -> list[str]:
    """Lines of several texts, each of which starts a new line."""
    return [line for text in texts for line in wrap(text)]


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Lines of the notes on a result."""
    return wrap_all(f"Note: {note}" for note in worded(notes))


def shorten(name: str, width: int) -> str:
    """A name in at most `width` columns, cut at its end."""
    name = printable(name)
    return name if len(name) <= width else f"{name[: width - 1]}…"


def shorten_left(name: str, width: int) -> str:
    """A name in at most `width` columns, cut at its start: the end of a path says more."""
    name = printable(name)
    return name if len(name) <= width else f"…{name[1 - width :]}"


def bar(share: float) -> str:
    """A share as a bar."""
    return "█" * round(share * BAR)


def without_colour(text: str) -> str:
    """The text without terminal escapes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
