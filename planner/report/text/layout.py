"""Lay out terminal text: wrap lines to 80 columns, shorten names, draw bars."""

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
    """Wrap text into lines of at most `width` columns. No line break separates `±` from its number."""
    unbroken = text.replace("± ", "±\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(unbroken, width, subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace("±\N{NO-BREAK SPACE}", "± ") for line in lines]


def wrap_all(texts: Iterable[str]) -> list[str]:
    """Wrap several texts into lines. Each text starts on a new line."""
    return [line for text in texts for line in wrap(text)]


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Return the notes on a result as lines of text."""
    return wrap_all(f"Note: {note}" for note in worded(notes))


def shorten(name: str, width: int) -> str:
    """Cut a name at its end to at most `width` columns."""
    name = printable(name)
    return name if len(name) <= width else f"{name[: width - 1]}…"


def shorten_left(name: str, width: int) -> str:
    """Cut a name at its start to at most `width` columns. The end of a path is more specific than its start."""
    name = printable(name)
    return name if len(name) <= width else f"…{name[1 - width :]}"


def bar(share: float) -> str:
    """Return a share as a bar of at most `BAR` columns."""
    return "█" * round(share * BAR)


def without_colour(text: str) -> str:
    """Return the text without the escape sequences that colour it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
