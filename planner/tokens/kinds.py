"""The kind of a text, guessed from its file's name and the text; only ratios and approximations rest on it."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from planner.tokens.ratios import Kind

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
