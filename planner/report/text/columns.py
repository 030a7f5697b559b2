"""Columns of text on a terminal. Wide characters, such as Chinese characters and emoji, take two columns."""

from __future__ import annotations

import re
from itertools import accumulate

from planner.errors import columns_of, printable


def shorten(name: str, most: int) -> str:
    """Cut the end of a name if the name has more than `most` columns."""
    name = printable(name)
    return name if columns_of(name) <= most else f"{_start(name, most - 1)}…"


def shorten_left(name: str, most: int) -> str:
    """Cut the start of a name if the name has more than `most` columns. The end of a path tells more than its start."""
    name = printable(name)
    return name if columns_of(name) <= most else f"…{_start(name[::-1], most - 1)[::-1]}"


def _start(text: str, most: int) -> str:
    """Return the longest start of `text` that has at most `most` columns."""
    return text[: sum(columns <= most for columns in accumulate(map(columns_of, text)))]


def left(text: str, columns: int) -> str:
    """Return `text` with spaces after it, so that it fills `columns` columns."""
    return text + " " * (columns - columns_of(text))


def right(text: str, columns: int) -> str:
    """Return `text` with spaces before it, so that it fills `columns` columns."""
    return " " * (columns - columns_of(text)) + text


def has_wide(text: str) -> bool:
    """Return whether a character of `text` takes two columns."""
    return not text.isascii() and any(columns_of(character) == 2 for character in text)


def wrap_wide(text: str, most: int, indent: str) -> list[str]:
    """Wrap a text with wide characters into lines of at most `most` columns. A line may end after each wide character.

    indent : text before each line except the first
    """
    lines, line = [], ""
    for part in _parts(text):
        word = part
        if line.strip() and columns_of(line + word) > most:
            lines.append(line.rstrip(" "))
            line, word = indent, part.lstrip(" ")
        while columns_of(line + word) > most:  # a word that is longer than a line
            piece = _start(word, most - columns_of(line))
            lines.append(line + piece)
            line, word = indent, word[len(piece) :]
        line += word
    return [*lines, line.rstrip(" ")] if line.strip() else lines


def _parts(text: str) -> list[str]:
    """Split a text into words and single wide characters, each with the spaces before it."""
    parts: list[str] = []
    for word in re.findall(" *[^ ]+", text):
        start = 0
        for end, character in enumerate(word):
            if columns_of(character) == 2:
                parts += [word[start:end], character] if word[start:end].strip(" ") else [word[start : end + 1]]
                start = end + 1
        parts.append(word[start:])
    return [part for part in parts if part]
