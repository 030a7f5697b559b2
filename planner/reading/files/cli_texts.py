"""File names from the command line in, their texts out, or the problems of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from planner.errors import (
    InputError,
    Position,
    Problem,
    nearest,
)
from planner.reading.files.text_file import decode_utf8

MOST_COUNTED_BYTES = 10_000_000
"""Largest text that is counted: about 2.5 million tokens, ten times the context of most models."""

STANDARD_INPUT = "-"


def read_texts(names: Iterable[str], standard_input: BinaryIO) -> list[tuple[str, str]]:
    """Return names and texts, each name once.

    names : paths; `-` is standard input, which is returned as `<stdin>`

    Raises InputError with the problems of all files.
    """
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            if name == STANDARD_INPUT:
                texts.append(("<stdin>", _decoded(standard_input.read(MOST_COUNTED_BYTES + 1), "<stdin>")))
            else:
                texts.append((name, _decoded(_content(name), name)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return texts


def _content(name: str) -> bytes:
    """Read a file up to one byte over the limit. Raises InputError."""
    try:
        with Path(name).open("rb") as stream:
            return stream.read(MOST_COUNTED_BYTES + 1)
    except (OSError, ValueError) as error:
        message = f"cannot read the file: {getattr(error, 'strerror', None) or error}"
        raise InputError([Problem("unreadable", message, Position(name), _hint(Path(name), error))]) from None


def _hint(path: Path, error: Exception) -> str | None:
    """Suggest another path."""
    if isinstance(error, IsADirectoryError) or (os.name == "nt" and path.is_dir()):
        return f"name files, as in {path / '*'}"
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return None
    similar = nearest(path.name, (other.name for other in path.parent.iterdir()))
    return f"did you mean '{path.with_name(similar)}'?" if similar else None


def _decoded(content: bytes, name: str) -> str:
    """Decode UTF-8 and drop a byte order mark. Raises InputError."""
    if len(content) > MOST_COUNTED_BYTES:
        message = f"the file is over the limit of {MOST_COUNTED_BYTES:,} bytes"
        raise InputError([Problem("too-large", message, Position(name), "count a part of it and extrapolate")])
    return decode_utf8(content, name)
