"""Tokens of a text where they cannot be counted: its characters, by characters per token of its kind of text."""

from __future__ import annotations

import unicodedata

from planner.tokens.kinds import kind_of
from planner.tokens.ratios import Kind

_PER_TOKEN: dict[Kind, float] = {"code": 3.6, "JSON": 2.9, "English": 4.0, "other": 4.28}
"""Characters for each token of o200k_base: medians of files of each kind, and of a German text (docs/tokens.md)."""

_WIDE_PER_TOKEN = 1.38
"""The same of wide characters, as of a Chinese text."""

_CL100K_BASE = {"code": 1.0, "JSON": 1.0, "English": 1.0, "other": 1.17}
_CL100K_BASE_WIDE = 1.49
"""Tokens of cl100k_base for each of o200k_base."""


def approximate(text: str, encoding: str, name: str = "") -> int:
    """About as many tokens as an encoding makes of a text; docs/tokens.md says how far off that is.

    Wide characters, as of Chinese, Japanese and Korean, count as Chinese; all others as their kind of text.
    """
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    kind = kind_of(text, name)
    narrow, broad = (len(text) - wide) / _PER_TOKEN[kind], wide / _WIDE_PER_TOKEN
    if encoding == "cl100k_base":
        narrow, broad = narrow * _CL100K_BASE[kind], broad * _CL100K_BASE_WIDE
    return max(round(narrow + broad), 1 if text else 0)
