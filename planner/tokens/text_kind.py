"""A text and the name of its file in, its kind out, as a guess.

Only ratios between tokenizers and approximate counts depend on the kind.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Literal

Kind = Literal["code", "JSON", "English", "other"]

KINDS: tuple[Kind, ...] = ("code", "JSON", "English", "other")

_SAMPLE = 50_000
"""Number of leading characters that are examined."""


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
    """Guess the kind of a text; `other` is any language but English.

    name : of its file; a known extension decides
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
    """Whether a text is JSON, or consists of digits as much as tables of numbers do."""
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]"):
        for part in (stripped, stripped.partition("\n")[0]):  # one value, or one per line
            try:
                json.loads(part)
            except (ValueError, RecursionError):
                continue
            return True
    visible = "".join(text[:_SAMPLE].split())
    return len(visible) >= 40 and sum(map(str.isdigit, visible)) > 0.3 * len(visible)


def _is_english(text: str) -> bool:
    """Whether letters are unaccented Latin, and common English words outnumber those of other languages."""
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    if sum(len(word) for word in words if word.isascii()) < 0.95 * letters:
        return False
    lower = [word.lower() for word in words]
    return sum(word in _ENGLISH for word in lower) >= sum(word in _FOREIGN for word in lower)
