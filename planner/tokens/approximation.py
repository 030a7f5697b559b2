"""A text in, an approximate number of tokens out, from its length and kind; for when tiktoken cannot count."""

from __future__ import annotations

import unicodedata

from planner.tokens.text_kind import Kind, kind_of

_PER_TOKEN: dict[Kind, float] = {"code": 3.6, "JSON": 2.9, "English": 4.0, "other": 4.28}
"""Characters per token of o200k_base: medians over files of each kind; `other` is a German text (docs/tokens.md)."""

_WIDE_PER_TOKEN = 1.38
"""Wide characters per token of o200k_base, from a Chinese text."""

_CL100K_BASE = {"code": 1.0, "JSON": 1.0, "English": 1.0, "other": 1.17}
_CL100K_BASE_WIDE = 1.49
"""Tokens of cl100k_base per token of o200k_base, for the kinds of text and for wide characters."""


def approximate(text: str, encoding: str, name: str = "") -> int:
    """Estimate the tokens of a text; docs/tokens.md gives the accuracy.

    Wide characters (Chinese, Japanese, Korean) count as Chinese, all others by the kind of text.

    name : of its file, which tells the kind
    """
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    kind = kind_of(text, name)
    narrow_tokens, wide_tokens = (len(text) - wide) / _PER_TOKEN[kind], wide / _WIDE_PER_TOKEN
    if encoding == "cl100k_base":
        narrow_tokens, wide_tokens = narrow_tokens * _CL100K_BASE[kind], wide_tokens * _CL100K_BASE_WIDE
    return max(round(narrow_tokens + wide_tokens), 1 if text else 0)
