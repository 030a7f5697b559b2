"""Named texts in, the tokens of each and in total out, with estimates for other tokenizers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.tokens.counting import count
from planner.tokens.ratios import SOURCES, ratios
from planner.tokens.text_kind import Kind, kind_of


@dataclass(frozen=True)
class Spread:
    """Tokens of another tokenizer: an estimate, and its bounds by the lowest and highest ratio."""

    tokens: float
    low: float
    high: float


@dataclass(frozen=True)
class Tokens:
    """Tokens of one text, or of all together.

    characters : Unicode code points
    kind : None for the total
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
    """Counts of several texts and their total; `notes` are for the reader of the numbers."""

    encoding: str
    files: tuple[Tokens, ...]
    total: Tokens
    notes: tuple[str, ...]


def tally(texts: Iterable[tuple[str, str]], encoding: str) -> Tally:
    """Count named texts with an encoding.

    texts : pairs of name and text
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
    notes = tuple(
        f"Numbers with ~ are approximate, from characters and the kind of text: {reason}."
        for reason in dict.fromkeys(reasons)
    )
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
