"""Count the tokens of a text, with tiktoken or approximately. Add up the counts of several texts."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from planner.errors import Note
from planner.tokens.ranks import SHA256, NoRanksError, ranks_of
from planner.tokens.text_kind import SOURCES, Kind, kind_of, ratios

_PER_TOKEN: dict[Kind, float] = {"code": 3.6, "JSON": 2.9, "English": 4.0, "other": 4.28}
"""Characters per token of o200k_base: medians over files of each kind; `other` is a German text (docs/tokens.md)."""

_WIDE_PER_TOKEN = 1.38
"""Wide characters per token of o200k_base, measured on a Chinese text."""

_CL100K_BASE = {"code": 1.0, "JSON": 1.0, "English": 1.0, "other": 1.17}
_CL100K_BASE_WIDE = 1.49
"""Tokens of cl100k_base per token of o200k_base, for the kinds of text and for wide characters."""


def approximate(text: str, encoding: str, name: str = "") -> int:
    """Estimate the number of tokens of a text from its number of characters. docs/tokens.md gives the accuracy.

    The characters per token depend on the kind of text. For Chinese, Japanese and Korean, they were measured on a
    Chinese text.

    name : file name of the text, from which the kind of text is guessed
    """
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    kind = kind_of(text, name)
    narrow_tokens, wide_tokens = (len(text) - wide) / _PER_TOKEN[kind], wide / _WIDE_PER_TOKEN
    if encoding == "cl100k_base":
        narrow_tokens, wide_tokens = narrow_tokens * _CL100K_BASE[kind], wide_tokens * _CL100K_BASE_WIDE
    return max(round(narrow_tokens + wide_tokens), 1 if text else 0)


DEFAULT = "o200k_base"
"""Encoding with which prompts in workflows are counted."""

_LONGEST_BLANK = 500_000
"""A text with this many characters of white space in a row is not encoded. At about a million, tiktoken 0.14 panics."""


@dataclass(frozen=True)
class Count:
    """Number of tokens of a text, which is exact or approximate.

    reason : reason why the number is approximate; None if the number is exact
    """

    tokens: int
    encoding: str
    reason: str | None = None

    @property
    def approximate(self) -> bool:
        return self.reason is not None

    def __str__(self) -> str:
        """Format the count as `1,234 tokens (o200k_base)`, or as `~1,234 tokens (approximate)`."""
        unit = "token" if self.tokens == 1 else "tokens"
        if self.approximate:
            return f"~{self.tokens:,} {unit} (approximate)"
        return f"{self.tokens:,} {unit} ({self.encoding})"


@lru_cache(maxsize=64)  # steps often share a prompt
def count(text: str, encoding: str = DEFAULT, name: str = "") -> Count:
    """Count the tokens of a text. Special tokens, such as ``<|endoftext|>``, are counted as ordinary text.

    name : file name of the text. It is used only if the number must be estimated
    """
    encode = _encoder(encoding)
    reason = encode if isinstance(encode, str) else _too_blank(text)
    if isinstance(encode, str) or reason:
        return Count(approximate(text, encoding, name), encoding, reason)
    return Count(len(encode(text)), encoding)


@cache
def _encoder(encoding: str) -> Callable[[str], list[int]] | str:
    """Return a function that encodes text. If the encoding cannot be loaded, return the reason as a string."""
    try:
        return _load(encoding)
    except NoRanksError as error:
        return str(error)


def _load(encoding: str) -> Callable[[str], list[int]]:
    """Load an encoding of tiktoken from a verified rank file. Return the function that encodes text.

    Raises NoRanksError if the encoding cannot be loaded.
    """
    try:
        import tiktoken
        from tiktoken import load
        from tiktoken_ext import openai_public
    except ImportError as error:
        raise NoRanksError(f"tiktoken cannot be imported: {error}") from None
    ranks = ranks_of(encoding)

    def load_ranks(path: str, expected_hash: str | None = None) -> dict[bytes, int]:
        if expected_hash != SHA256[encoding]:
            raise OSError(f"it wants another rank file, {path}")
        return ranks

    try:
        with _replaced(openai_public, "load_tiktoken_bpe", load_ranks), _replaced(load, "read_file", _no_download):
            # tiktoken.get_encoding would fail for all encodings if any installed plugin is faulty.
            loaded = tiktoken.Encoding(**openai_public.ENCODING_CONSTRUCTORS[encoding]())
    except Exception as error:  # other versions may raise anything; counts are then approximate
        raise NoRanksError(f"tiktoken does not load {encoding}: {error}") from None
    _keep_until_exit(loaded)
    return loaded.encode_ordinary


def _keep_until_exit(encoding: object) -> None:
    """Keep an encoding in memory until the process ends, to save time at the end.

    Otherwise, Python would free the encoding's 200,000 tokens one by one. Counting the tokens of a file would then take
    20% longer.
    """
    if sys.implementation.name == "cpython":
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(encoding))


def _no_download(path: str) -> bytes:
    """Raise OSError. This function replaces the download function of tiktoken, so that nothing is ever downloaded."""
    raise OSError(f"{path} would be downloaded")


@contextmanager
def _replaced(module: Any, name: str, other: Any) -> Iterator[None]:
    """Replace an attribute of a module, and restore it at the end of the context.

    name : name of the attribute
    other : temporary value of the attribute
    """
    before = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, before)


def _too_blank(text: str) -> str | None:
    """Return a message if a text has too much white space in a row for tiktoken. Otherwise return None."""
    if len(text) >= _LONGEST_BLANK and any(
        blank.end() - blank.start() >= _LONGEST_BLANK for blank in re.finditer(r"\s+", text)
    ):
        return f"tiktoken does not take {_LONGEST_BLANK:,} characters of white space in a row"
    return None


@dataclass(frozen=True)
class Spread:
    """Number of tokens of a text with one tokenizer, estimated from the number with a different tokenizer.

    low, high : estimates with the lowest and with the highest measured ratio between the two tokenizers
    """

    tokens: float
    low: float
    high: float


@dataclass(frozen=True)
class Tokens:
    """Number of tokens of one text, or of several texts together.

    characters : number of Unicode code points
    kind : kind of the text; None for several texts
    others : estimated numbers of tokens with other tokenizers, by name of the tokenizer
    """

    file: str
    tokens: int
    approximate: bool
    characters: int
    kind: Kind | None
    others: dict[str, Spread]


@dataclass(frozen=True)
class Tally:
    """Numbers of tokens of several texts, and their total.

    notes : remarks about the accuracy of the numbers, for the user
    """

    encoding: str
    files: tuple[Tokens, ...]
    total: Tokens
    notes: tuple[Note, ...]


def tally(texts: Iterable[tuple[str, str]], encoding: str) -> Tally:
    """Count the tokens of several texts with an encoding, and add them up.

    texts : pairs of a file name and a text
    """
    files, reasons = [], []
    for name, text in texts:
        counted, kind = count(text, encoding, name), kind_of(text, name)
        others = {
            tokenizer: Spread(counted.tokens * ratio.middle, counted.tokens * ratio.low, counted.tokens * ratio.high)
            for tokenizer, ratio in ratios(kind, encoding).items()
        }
        files.append(Tokens(name, counted.tokens, counted.approximate, len(text), kind, others))
        if counted.reason:
            reasons.append(counted.reason)
    notes = tuple(Note("approximate-counts", {"reason": reason}) for reason in dict.fromkeys(reasons))
    return Tally(encoding, tuple(files), _total(files), notes)


def _total(files: list[Tokens]) -> Tokens:
    others = {
        tokenizer: Spread(
            sum(file.others[tokenizer].tokens for file in files),
            sum(file.others[tokenizer].low for file in files),
            sum(file.others[tokenizer].high for file in files),
        )
        for tokenizer in SOURCES
    }
    return Tokens(
        "total",
        sum(file.tokens for file in files),
        any(file.approximate for file in files),
        sum(file.characters for file in files),
        None,
        others,
    )
