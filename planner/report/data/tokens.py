"""Token counts as JSON."""

from __future__ import annotations

import json
from typing import Any

from planner.tokens.ratios import MEASURED, SOURCES, ratios
from planner.tokens.tally import Tally, Tokens
from planner.tokens.text_kind import KINDS


def tokens_json(tally: Tally) -> str:
    """Counts and unrounded estimates, with all ratios and their sources."""
    data = {
        "encoding": tally.encoding,
        "approximate": tally.total.approximate,
        "files": [{"file": count.file, "kind": count.kind, **_numbers(count)} for count in tally.files],
        "total": _numbers(tally.total),
        "ratios": {
            "measured": MEASURED,
            "sources": SOURCES,
            "by_kind": {
                kind: {
                    name: {"low": ratio.low, "high": ratio.high} for name, ratio in ratios(kind, tally.encoding).items()
                }
                for kind in KINDS
            },
        },
        "notes": list(tally.notes),
    }
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _numbers(count: Tokens) -> dict[str, Any]:
    return {
        "tokens": count.tokens,
        "approximate": count.approximate,
        "characters": count.characters,
        "estimates": {
            name: {"tokens": spread.tokens, "low": spread.low, "high": spread.high}
            for name, spread in count.others.items()
        },
    }
