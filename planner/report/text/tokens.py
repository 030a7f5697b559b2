"""Numbers of tokens as text of 80 columns, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from planner.errors import printable
from planner.tokens.ratios import MEASURED, SOURCES, Ratio, ratios
from planner.tokens.tally import Tally, Tokens
from planner.tokens.text_kind import KINDS

_WIDTH = 80
_SHORTEST_NAME = 12


def tokens_text(found: Tally) -> str:
    """What was counted, what other tokenizers would make of it, and by which ratios."""
    rows = [*found.files, found.total] if len(found.files) > 1 else [*found.files]
    kinds = [kind for kind in KINDS if any(one.kind == kind for one in found.files)]
    by_kind = {kind: ratios(kind, found.encoding) for kind in kinds}
    counted = _table(
        ["tokens", "characters", "kind", "file"],
        [[_counted(one), f"{one.characters:,}", one.kind or "", one.file] for one in rows],
    )
    mark = "~" if found.total.approximate else ""
    others = _table(
        [*SOURCES, "file"],
        [[*(f"{mark}{_rounded(spread.tokens)}" for spread in one.others.values()), one.file] for one in rows],
    )
    applied = _table(
        [*SOURCES, "kind"], [[*(_ratio(ratio) for ratio in by_kind[kind].values()), kind] for kind in kinds]
    )
    parts = [
        f"Tokens of {found.encoding}\n\n{counted}",
        f"Estimates for other tokenizers: tokens x ratio, the middle of its range\n\n{others}",
        f"Ratios, measured {MEASURED} on one or two texts of each kind (docs/tokens.md)\n\n{applied}",
    ]
    return "\n".join([*parts, *(f"note: {note}\n" for note in found.notes)])


def _counted(one: Tokens) -> str:
    return f"{'~' if one.approximate else ''}{one.tokens:,}"


def _rounded(number: float) -> str:
    """Three digits, as no ratio tells more: `852`, `51,100`."""
    digits = len(f"{number:.0f}")
    return f"{round(number, min(3 - digits, 0)):,.0f}"


def _ratio(ratio: Ratio) -> str:
    low, high = f"{ratio.low:.2f}", f"{ratio.high:.2f}"
    return low if low == high else f"{low}-{high}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns to the right, the last one to the left, its names cut from the left where they do not fit."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]
    left = max(_WIDTH - sum(widths) - 2 * len(widths), _SHORTEST_NAME)
    text = ""
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=False)]
        text += "  ".join([*cells, _cut(line[-1], left)]) + "\n"
    return text


def _cut(name: str, most: int) -> str:
    name = printable(name)
    return name if len(name) <= most else f"…{name[1 - most :]}"


def tokens_json(found: Tally) -> str:
    """The same, unrounded, with the ratios and their sources."""
    data = {
        "encoding": found.encoding,
        "approximate": found.total.approximate,
        "files": [{"file": one.file, "kind": one.kind, **_numbers(one)} for one in found.files],
        "total": _numbers(found.total),
        "ratios": {
            "measured": MEASURED,
            "sources": SOURCES,
            "by_kind": {
                kind: {name: {"low": one.low, "high": one.high} for name, one in ratios(kind, found.encoding).items()}
                for kind in KINDS
            },
        },
        "notes": list(found.notes),
    }
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _numbers(one: Tokens) -> dict[str, Any]:
    return {
        "tokens": one.tokens,
        "approximate": one.approximate,
        "characters": one.characters,
        "estimates": {
            name: {"tokens": spread.tokens, "low": spread.low, "high": spread.high}
            for name, spread in one.others.items()
        },
    }
