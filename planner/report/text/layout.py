"""Lines of terminal text: at most 80 columns, or those of a narrower terminal; names are cut, notes at the end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from planner.errors import Note, printable
from planner.report.wording.notes import worded

WIDTH, NARROWEST = 80, 40
"""Columns of texts, unless a terminal has fewer; and the fewest that texts are laid out for."""

_width = ContextVar("_width", default=WIDTH)


def width() -> int:
    """Columns of the text that is being laid out."""
    return _width.get()


@contextmanager
def columns(number: int) -> Iterator[None]:
    """Lay out texts within the block for a terminal of this many columns, from `NARROWEST` to `WIDTH`."""
    token = _width.set(min(max(number, NARROWEST), WIDTH))
    try:
        yield
    finally:
        _width.reset(token)


BAR = 30
"""Columns of a bar that shows a share of 1."""


def wrap(text: str, less: int = 0) -> list[str]:
    """Wrap text into lines of at most `width() - less` columns. No line break separates `±` from its number."""
    unbroken = text.replace("± ", "±\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(unbroken, width() - less, subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace("±\N{NO-BREAK SPACE}", "± ") for line in lines]


def wrap_all(texts: Iterable[str]) -> list[str]:
    """Wrap several texts into lines. Each text starts on a new line."""
    return [line for text in texts for line in wrap(text)]


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Return the notes on a result as lines of text."""
    return wrap_all(f"Note: {note}" for note in worded(notes))


def table(rows: Sequence[tuple[str, Sequence[str]]], shortest: int = 12) -> list[str]:
    """Lines of rows, each a padded label and padded cells; the first row is the head. If they are too wide, labels are
    cut to `shortest` columns at least, and columns that do not fit follow below, with the labels again.
    """
    if width() == WIDTH:
        return [(label + "".join(cells)).rstrip() for label, cells in rows]
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(len(rows[0][1]))]
    label = len(rows[0][0])
    room = max(min(label, width() - sum(widths)), min(label, shortest))
    blocks: list[list[int]] = [[]]
    for column, cell in enumerate(widths):
        if blocks[-1] and room + sum(widths[other] for other in blocks[-1]) + cell > width():
            blocks.append([])
        blocks[-1].append(column)
    lines = []
    for block in blocks:
        for text, cells in rows:
            name = text if room == label else f"{shorten_left(text.rstrip(), room - 1):<{room}}"
            lines.append((name + "".join(cells[column] for column in block)).rstrip())
    return lines


def fold(text: str) -> str:
    """The text with lines that are too long broken, between columns if they have any; lines with colours stay."""
    lines = []
    for line in text.split("\n"):
        if len(line) <= width() or "\x1b" in line:
            lines.append(line)
            continue
        indent = " " * (len(line) - len(line.lstrip()))
        parts = re.split(" {2,}", line.strip())
        whole = len(parts) > 1 and max(map(len, parts)) + len(indent) + 2 <= width()
        kept = line.replace("± ", "±\N{NO-BREAK SPACE}")
        kept = re.sub(r"(?<=\S) (?=\S)", "\N{NO-BREAK SPACE}", kept) if whole else kept
        folded = textwrap.wrap(kept, width(), subsequent_indent=f"{indent}  ", break_on_hyphens=False)
        lines += [part.replace("\N{NO-BREAK SPACE}", " ") for part in folded]
    return "\n".join(lines)


def shorten(name: str, most: int) -> str:
    """Cut a name at its end to at most `most` columns."""
    name = printable(name)
    return name if len(name) <= most else f"{name[: most - 1]}…"


def shorten_left(name: str, most: int) -> str:
    """Cut a name at its start to at most `most` columns. The end of a path is more specific than its start."""
    name = printable(name)
    return name if len(name) <= most else f"…{name[1 - most :]}"


def bar(share: float) -> str:
    """Return a share as a bar of at most `BAR` columns, for a row with 32 other columns."""
    return "█" * round(share * min(BAR, width() - 32))


def without_colour(text: str) -> str:
    """Return the text without the escape sequences that colour it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
