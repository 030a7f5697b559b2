"""Texts in, the tokens of each and of all out, with estimates for other tokenizers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.tokens.counting import count
from planner.tokens.kinds import SOURCES, Kind, kind_of, ratios


@dataclass(frozen=True)
class Spread:
    """Tokens of another tokenizer: an estimate, and the numbers that the lowest and the highest ratio give."""

    tokens: float
    low: float
    high: float


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, or of all together.

    characters : Unicode code points
    kind : None of several texts
    others : tokenizer → estimate
    """

    file: str
    tokens: int
    approximate: bool
    characters: int
    kind: Kind | None
    others: dict[str, Spread]


@dataclass(frozen=True)
class Tally:
    """Texts, and all together; `notes` say what a reader must know."""

    encoding: str
    files: tuple[Tokens, ...]
    total: Tokens
    notes: tuple[str, ...]


def tally(texts: Iterable[tuple[str, str]], encoding: str) -> Tally:
    """Count named texts with an encoding."""
    files, reasons = [], []
    for name, text in texts:
        found, kind = count(text, encoding, name), kind_of(text, name)
        others = {
            tokenizer: Spread(found.tokens * ratio.middle, found.tokens * ratio.low, found.tokens * ratio.high)
            for tokenizer, ratio in ratios(kind, encoding).items()
        }
        files.append(Tokens(name, found.tokens, found.approximate, len(text), kind, others))
        if found.reason:
            reasons.append(found.reason)
    notes = tuple(
        f"Numbers with ~ are approximate, from characters and the kind of text: {reason}."
        for reason in dict.fromkeys(reasons)
    )
    return Tally(encoding, tuple(files), _total(files), notes)


def _total(files: list[Tokens]) -> Tokens:
    others = {
        tokenizer: Spread(
            sum(one.others[tokenizer].tokens for one in files),
            sum(one.others[tokenizer].low for one in files),
            sum(one.others[tokenizer].high for one in files),
        )
        for tokenizer in SOURCES
    }
    return Tokens(
        "total",
        sum(one.tokens for one in files),
        any(one.approximate for one in files),
        sum(one.characters for one in files),
        None,
        others,
    )
