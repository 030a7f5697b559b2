"""Lines of terminal text: at most 80 columns, or those of a narrower terminal; names are cut, notes at the end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from planner.errors import Note, columns_of
from planner.report.text.columns import has_wide, left, shorten_left, wrap_wide
from planner.report.wording.notes import worded

WIDTH, NARROWEST = 80, 40
"""Columns of texts, unless a terminal has fewer; and the fewest that texts are laid out for."""

_width = ContextVar("_width", default=WIDTH)


def width() -> int:
    """Return the largest number of columns that a line of text may have."""
    return _width.get()


@contextmanager
def columns(number: int) -> Iterator[None]:
    """Context manager that sets `width()` to `number`, or to the nearest value from `NARROWEST` to `WIDTH`."""
    token = _width.set(min(max(number, NARROWEST), WIDTH))
    try:
        yield
    finally:
        _width.reset(token)


BAR = 30
"""Columns of a bar that shows a share of 1."""


def wrap(text: str, less: int = 0) -> list[str]:
    """Wrap text into lines of at most `width() - less` columns. The sign `±` and the next number stay on one line."""
    lines = _wrap(text.replace("± ", "±\N{NO-BREAK SPACE}"), width() - less, "  ")
    return [line.replace("±\N{NO-BREAK SPACE}", "± ") for line in lines]


def _wrap(text: str, most: int, indent: str) -> list[str]:
    if has_wide(text):
        return wrap_wide(text, most, indent)
    return textwrap.wrap(text, most, subsequent_indent=indent, break_on_hyphens=False)


def wrap_all(texts: Iterable[str]) -> list[str]:
    """Wrap several texts into lines. Each text starts on a new line."""
    return [line for text in texts for line in wrap(text)]


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Convert notes to wrapped lines of text. Each note starts with `Note:`."""
    return wrap_all(f"Note: {note}" for note in worded(notes))


def table(rows: Sequence[tuple[str, Sequence[str]]], shortest: int = 12) -> list[str]:
    """Return the lines of a table.

    If the table is too wide, its labels are cut. Columns that still do not fit follow in further lines, with the labels
    again.

    rows : label and cells of each row, padded to the width of the column; the first row is the head
    shortest : least width of a cut label, in characters
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
            name = text if room == label else left(shorten_left(text.rstrip(), room - 1), room)
            lines.append((name + "".join(cells[column] for column in block)).rstrip())
    return lines


def fold(text: str) -> str:
    """Break lines that are too long. Lines with colours stay unchanged.

    Two or more spaces separate columns. A line is broken only between columns, unless a single column is too long.
    """
    lines = []
    for line in text.split("\n"):
        if columns_of(line) <= width() or "\x1b" in line:
            lines.append(line)
            continue
        indent = " " * (len(line) - len(line.lstrip()))
        parts = re.split(" {2,}", line.strip())
        whole = len(parts) > 1 and max(map(columns_of, parts)) + len(indent) + 2 <= width()
        kept = line.replace("± ", "±\N{NO-BREAK SPACE}")
        kept = re.sub(r"(?<=\S) (?=\S)", "\N{NO-BREAK SPACE}", kept) if whole else kept
        folded = _wrap(kept, width(), f"{indent}  ")
        lines += [part.replace("\N{NO-BREAK SPACE}", " ") for part in folded]
    return "\n".join(lines)


def bar(share: float) -> str:
    """Return a bar for a share. The share 1 has `BAR` columns, or fewer columns on a narrow terminal."""
    return "█" * round(share * min(BAR, width() - 32))


def without_colour(text: str) -> str:
    """Return the text without the escape sequences for colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
