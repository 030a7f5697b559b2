"""A text in, its number of tokens out: counted with tiktoken, or approximate where that is not possible."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from planner.tokens.kinds import Kind, kind_of
from planner.tokens.ranks import SHA256, NoRanksError, ranks_of

_PER_TOKEN: dict[Kind, float] = {"code": 3.6, "JSON": 2.9, "English": 4.0, "other": 4.28}
"""Characters for each token of o200k_base: medians of files of each kind, and of a German text (docs/tokens.md)."""

_WIDE_PER_TOKEN = 1.38
"""The same of wide characters, as of a Chinese text."""

_CL100K_BASE = {"code": 1.0, "JSON": 1.0, "English": 1.0, "other": 1.17}
_CL100K_BASE_WIDE = 1.49
"""Tokens of cl100k_base for each of o200k_base."""


def approximate(text: str, encoding: str, name: str = "") -> int:
    """About as many tokens as an encoding makes of a text; docs/tokens.md says how far off that is.

    Wide characters, as of Chinese, Japanese and Korean, count as Chinese; all others as their kind of text.
    """
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    kind = kind_of(text, name)
    narrow, broad = (len(text) - wide) / _PER_TOKEN[kind], wide / _WIDE_PER_TOKEN
    if encoding == "cl100k_base":
        narrow, broad = narrow * _CL100K_BASE[kind], broad * _CL100K_BASE_WIDE
    return max(round(narrow + broad), 1 if text else 0)


DEFAULT = "o200k_base"
"""The encoding that estimates are counted with."""

_LONGEST_BLANK = 500_000
"""Characters of white space in a row; at about a million tiktoken 0.14 panics."""


@dataclass(frozen=True)
class Count:
    """The tokens of a text.

    reason : why the count is approximate; None: it is exact
    """

    tokens: int
    encoding: str
    reason: str | None = None

    @property
    def approximate(self) -> bool:
        return self.reason is not None

    def __str__(self) -> str:
        """`1,234 tokens (o200k_base)`, `~1,234 tokens (approximate)`."""
        unit = "token" if self.tokens == 1 else "tokens"
        if self.approximate:
            return f"~{self.tokens:,} {unit} (approximate)"
        return f"{self.tokens:,} {unit} ({self.encoding})"


@lru_cache(maxsize=64)  # a prompt is often shared by steps
def count(text: str, encoding: str = DEFAULT, name: str = "") -> Count:
    """The tokens of a text of an encoding. Text that looks like a special token counts as the text that it is.

    name : of its file, which tells an approximation what kind of text it is
    """
    encode = _encoder(encoding)
    reason = encode if isinstance(encode, str) else _too_blank(text)
    if isinstance(encode, str) or reason:
        return Count(approximate(text, encoding, name), encoding, reason)
    return Count(len(encode(text)), encoding)


@cache
def _encoder(encoding: str) -> Callable[[str], list[int]] | str:
    """What encodes a text, or why there is nothing that does."""
    try:
        return _load(encoding)
    except NoRanksError as error:
        return str(error)


def _load(encoding: str) -> Callable[[str], list[int]]:
    """Raises NoRanksError."""
    try:
        import tiktoken
        from tiktoken import load
        from tiktoken_ext import openai_public
    except ImportError as error:
        raise NoRanksError(f"tiktoken cannot be imported: {error}") from None
    ranks = ranks_of(encoding)

    def given(path: str, expected_hash: str | None = None) -> dict[bytes, int]:
        if expected_hash != SHA256[encoding]:
            raise OSError(f"it wants another rank file, {path}")
        return ranks

    try:
        with _in_place_of(openai_public, "load_tiktoken_bpe", given), _in_place_of(load, "read_file", _refused):
            # Not by tiktoken.get_encoding: one faulty plugin of another package would take all encodings away.
            found = tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[encoding]())
    except Exception as error:  # whatever another tiktoken raises, counting goes on without it
        raise NoRanksError(f"tiktoken does not load {encoding}: {error}") from None
    _never_freed(found)
    return found.encode_ordinary


def _never_freed(kept: object) -> None:
    """Leave an object that is kept until the process ends to the operating system.

    At its end Python would free one by one the 200,000 tokens of an encoding, which takes a fifth of all the time that
    counting a file takes.
    """
    if sys.implementation.name == "cpython":
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))


def _refused(path: str) -> bytes:
    """In the place of tiktoken's download, should a later one not take the ranks that it is given."""
    raise OSError(f"{path} would be downloaded")


@contextmanager
def _in_place_of(module: Any, name: str, other: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, before)


def _too_blank(text: str) -> str | None:
    """Why a text is beyond tiktoken, if it is."""
    if len(text) >= _LONGEST_BLANK and any(
        found.end() - found.start() >= _LONGEST_BLANK for found in re.finditer(r"\s+", text)
    ):
        return f"tiktoken does not take {_LONGEST_BLANK:,} characters of white space in a row"
    return None
