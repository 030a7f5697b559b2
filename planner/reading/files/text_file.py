"""Paths and arguments of the command line in, their text out: UTF-8, of limited size, without control characters."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from planner.errors import (
    InputError,
    Position,
    Problem,
    nearest,
)
from planner.reading.files.access import read_regular, unreadable

MOST_BYTES = 1_000_000
"""Size limit of a file."""

_LINE_END = re.compile(r"\r\n?|\n")
_INVISIBLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Pattern of characters that YAML does not allow. It is not compiled at import, because that takes 10 ms."""


def split_lines(text: str) -> list[str]:
    """Split a text into lines, without their line ends. The line ends are those of YAML: LF, CR or CR LF."""
    return _LINE_END.split(text)


def position_at(file: str, text: str, offset: int) -> Position:
    """Return the position of the character with the index `offset` in a text.

    file : name of the file that contains the text
    """
    before = split_lines(text[:offset])
    return Position(file, len(before), len(before[-1]) + 1, 1, split_lines(text)[len(before) - 1])


STDIN = "<stdin>"
"""Name of standard input in messages."""


def read_stdin() -> str:
    """Return the text of standard input.

    Raises `InputError` if standard input is closed, is larger than `MOST_BYTES` or is not UTF-8.
    """
    return _checked(_content_of(getattr(sys.stdin, "buffer", None), MOST_BYTES + 1), STDIN)


def _content_of(standard_input: BinaryIO | None, most: int) -> bytes:
    """Return the content of standard input, at most `most` bytes.

    Raises `InputError` if standard input is closed.
    """
    if standard_input is None:
        hint = "pipe a file to it, or name the file"
        raise InputError([Problem("unreadable", "standard input is closed", Position(STDIN), hint)])
    return standard_input.read(most)


def read_text(path: Path, descriptors: bool = True) -> str:
    """Return the text of a file.

    descriptors : whether the path may be /dev/stdin or /dev/fd/N

    Raises `InputError` in these cases:

    - The file cannot be opened, or is not a regular file.
    - The file is outside of the folder of `only_below`.
    - The file is larger than `MOST_BYTES`, or is not UTF-8.
    """
    try:
        content = read_regular(path, MOST_BYTES + 1, descriptors)
    except (OSError, ValueError) as error:
        raise InputError([unreadable(path, error, _suggestion(path, error))]) from None
    return _checked(content, str(path))


def _checked(content: bytes, file: str) -> str:
    """Decode the content of a file from UTF-8.

    Raises `InputError` if the content is larger than `MOST_BYTES` or is not UTF-8.
    """
    if len(content) > MOST_BYTES:
        hint = "is this a workflow? Put large data into a separate file"
        raise InputError(
            [Problem("too-large", f"the file is over the limit of {MOST_BYTES:,} bytes", Position(file), hint)]
        )
    return decode_utf8(content, file)


def decode_utf8(content: bytes, file: str) -> str:
    """Decode the content of a file from UTF-8, and remove a byte order mark.

    Raises `InputError` if the content is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        place = position_at(file, content.decode("utf-8-sig", "replace"), len(error.object[: error.start].decode()))
        message = f"byte 0x{wrong:02x} is not UTF-8"
        raise InputError([Problem("not-utf-8", message, place, "save the file as UTF-8")]) from None


def check_characters(text: str, file: str) -> None:
    """Check that YAML allows all characters of the text.

    Raises `InputError` at the first character that YAML does not allow.
    """
    match = re.search(_INVISIBLE, text)
    if match:
        message = f"the invisible character U+{ord(match[0]):04X} is not allowed"
        raise InputError([Problem("yaml-syntax", message, position_at(file, text, match.start()), "remove it")])


def _suggestion(path: Path, error: Exception) -> str | None:
    """Return a hint that suggests a YAML file with a similar name in the same folder.

    Returns None if `path` exists, or if no YAML file has a similar name.
    """
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return None
    similar = nearest(path.name, (other.name for other in path.parent.glob("*.y*ml")))
    return f"did you mean '{path.with_name(similar)}'?" if similar else None


MOST_COUNTED_BYTES = 10_000_000
"""Largest text that is counted: about 2.5 million tokens, ten times the context of most models."""

STANDARD_INPUT = "-"


def read_texts(names: Iterable[str], standard_input: BinaryIO | None) -> list[tuple[str, str]]:
    """Return a pair of name and text for each file. If a name is repeated, the file is read once.

    names : paths of files; `-` means standard input, which has the name `<stdin>` in the result
    standard_input : stream of standard input; None if it is closed

    Raises `InputError` if a file is unreadable. The error has the problems of all files.
    """
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            if name == STANDARD_INPUT:
                texts.append((STDIN, _decoded(_content_of(standard_input, MOST_COUNTED_BYTES + 1), STDIN)))
            else:
                texts.append((name, _decoded(_content(name), name)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return texts


def _content(name: str) -> bytes:
    """Return the content of a file. Of a larger file, return the first `MOST_COUNTED_BYTES + 1` bytes.

    Raises `InputError` if the file cannot be read.
    """
    try:
        return read_regular(Path(name), MOST_COUNTED_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError([unreadable(Path(name), error, _hint(Path(name), error))]) from None


def _hint(path: Path, error: Exception) -> str | None:
    """Return a hint that suggests a different path; None if there is no suggestion."""
    if isinstance(error, IsADirectoryError) or (os.name == "nt" and path.is_dir()):
        return f"name files, for example {path / '*'}"
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return None
    similar = nearest(path.name, (other.name for other in path.parent.iterdir()))
    return f"did you mean '{path.with_name(similar)}'?" if similar else None


def _decoded(content: bytes, name: str) -> str:
    """Decode the content of a file from UTF-8, and remove a byte order mark.

    Raises `InputError` if the content is larger than `MOST_COUNTED_BYTES` or is not UTF-8.
    """
    if len(content) > MOST_COUNTED_BYTES:
        message = f"the file is over the limit of {MOST_COUNTED_BYTES:,} bytes"
        raise InputError([Problem("too-large", message, Position(name), "count a part of the file and extrapolate")])
    return decode_utf8(content, name)
