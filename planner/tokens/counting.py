"""A text in, its number of tokens out: counted with tiktoken, or approximate where that is not possible."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from planner.tokens.approximation import approximate
from planner.tokens.ranks import NoRanksError, cache_folder

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
    with cache_folder(encoding) as folder, _looking_in(folder), _never_downloading(load):
        try:
            # Not by tiktoken.get_encoding: one faulty plugin of another package would take all encodings away.
            return tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[encoding]()).encode_ordinary
        except Exception as error:  # whatever another tiktoken raises, counting goes on without it
            raise NoRanksError(f"tiktoken does not load {encoding}: {error}") from None


@contextmanager
def _looking_in(folder: Path) -> Iterator[None]:
    """Let tiktoken look for rank files in `folder`."""
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


@contextmanager
def _never_downloading(load: Any) -> Iterator[None]:
    """Let tiktoken fail where it would download, as when the file vanishes or a later tiktoken wants another one."""

    def refused(path: str) -> bytes:
        raise OSError(f"{path} is not in the cache")

    before = load.read_file
    load.read_file = refused
    try:
        yield
    finally:
        load.read_file = before


def _too_blank(text: str) -> str | None:
    """Why a text is beyond tiktoken, if it is."""
    if len(text) >= _LONGEST_BLANK and any(
        found.end() - found.start() >= _LONGEST_BLANK for found in re.finditer(r"\s+", text)
    ):
        return f"tiktoken does not take {_LONGEST_BLANK:,} characters of white space in a row"
    return None
