"""A file in, its text out: UTF-8, of limited size, without control characters."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from planner.errors import (
    InputError,
    Position,
    Problem,
    nearest,
)
from planner.reading.units import BadValueError

BYTES = 1_000_000
"""Largest file that is read."""

_LINE_END = re.compile(r"\r\n?|\n")
_INVISIBLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Compiled when it is first used: so large a set takes 10 ms."""


def lines_of(text: str) -> list[str]:
    """The lines of a text, without what ends them; YAML ends lines nowhere else."""
    return _LINE_END.split(text)


def place_at(file: str, text: str, offset: int) -> Position:
    """The place of the character at `offset` of a text."""
    before = lines_of(text[:offset])
    return Position(file, len(before), len(before[-1]) + 1, 1, lines_of(text)[len(before) - 1])


STDIN = "<stdin>"
"""What standard input is called."""

_read: ContextVar[list[Path] | None] = ContextVar("_read", default=None)


@contextmanager
def noted() -> Iterator[list[Path]]:
    """The files that are read within."""
    files: list[Path] = []
    token = _read.set(files)
    try:
        yield files
    finally:
        _read.reset(token)


def read_stdin() -> str:
    """The text of standard input, as `read_text`."""
    return _checked(sys.stdin.buffer.read(BYTES + 1), STDIN)


def read_text(path: Path) -> str:
    """The text of a file of at most `BYTES` bytes of UTF-8. Raises InputError."""
    files = _read.get()
    if files is not None:
        files.append(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(BYTES + 1)
    except (OSError, ValueError) as error:
        message = f"cannot read the file: {getattr(error, 'strerror', None) or error}"
        raise InputError([Problem("unreadable", message, Position(str(path)), _misspelt(path, error))]) from None
    return _checked(content, str(path))


def _checked(content: bytes, file: str) -> str:
    """The text of so many bytes, of which one over the limit is enough."""
    if len(content) > BYTES:
        hint = "is this a workflow? Large data belongs in a file of its own"
        raise InputError([Problem("too-large", f"the file is over the limit of {BYTES:,} bytes", Position(file), hint)])
    return utf_8(content, file)


def utf_8(content: bytes, file: str) -> str:
    """A text without its byte order mark. Raises InputError."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        place = place_at(file, content.decode("utf-8-sig", "replace"), len(error.object[: error.start].decode()))
        message = f"byte 0x{wrong:02x} is not UTF-8"
        raise InputError([Problem("not-utf-8", message, place, "save the file as UTF-8")]) from None


def check_characters(text: str, file: str) -> None:
    """Refuse control characters and the like, which YAML allows nowhere. Raises InputError."""
    found = re.search(_INVISIBLE, text)
    if found:
        message = f"the invisible character U+{ord(found[0]):04X} is not allowed"
        raise InputError([Problem("yaml-syntax", message, place_at(file, text, found.start()), "take it away")])


def _misspelt(path: Path, error: Exception) -> str | None:
    """A hint at a YAML file beside the one that is not there."""
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return None
    near = nearest(path.name, (other.name for other in path.parent.glob("*.y*ml")))
    return f"did you mean '{path.with_name(near)}'?" if near else None


def named_text(name: str, path: Path, kind: str, missing: str | None, too_large: str) -> str:
    """The text of the file at `path` that is called `name`. Raises `BadValueError` with the code of the cause.

    kind : of files that may have been meant, as in ``*.csv``
    missing, too_large : what to do where it cannot be read, or is over the limit
    """
    try:
        return read_text(path)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message, problem.hint
        if problem.code == "unreadable":
            message, hint = message.replace("the file", f"'{name}'", 1), _meant(name, path, kind) or missing
        elif problem.code == "too-large":
            message, hint = f"'{name}' is over the limit of {BYTES:,} bytes", too_large
        else:
            message = f"'{name}', line {problem.position.line if problem.position else 0}: {message}"
        raise BadValueError(message, hint, code=problem.code) from None


def _meant(name: str, path: Path, kind: str) -> str | None:
    """A hint at a file beside the one that is not there."""
    try:
        others = [] if path.exists() else sorted(other.name for other in path.parent.glob(kind) if other.is_file())
    except (OSError, ValueError):
        return None
    near = nearest(path.name, others)
    return f"did you mean '{name.removesuffix(path.name)}{near}'?" if near and name.endswith(path.name) else None
