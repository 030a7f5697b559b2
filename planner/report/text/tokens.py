"""Token counts as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from planner.errors import columns_of
from planner.report.data.formats import VERSION, notes_data
from planner.report.text.columns import right, shorten_left
from planner.report.text.layout import width
from planner.report.wording.notes import worded
from planner.tokens.counting import Tally, Tokens
from planner.tokens.text_kind import KINDS, MEASURED, SOURCES, Ratio, ratios


def tokens_json(tally: Tally) -> str:
    """Return token counts as JSON text, with estimates for other tokenizers. The estimates are not rounded.

    The estimates use ratios. The text also has these ratios and their sources.
    """
    data = {
        "version": VERSION,
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
        "notes": notes_data(tally.notes),
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


_SHORTEST_NAME = 12


def tokens_text(tally: Tally) -> str:
    """Return token counts as text, with estimates for other tokenizers.

    The text also has the ratios that the estimates use.
    """
    counts = [*tally.files, tally.total] if len(tally.files) > 1 else [*tally.files]
    kinds = [kind for kind in KINDS if any(count.kind == kind for count in tally.files)]
    by_kind = {kind: ratios(kind, tally.encoding) for kind in kinds}
    counted = _table(
        ["tokens", "characters", "kind", "file"],
        [[_number(count), f"{count.characters:,}", count.kind or "", count.file] for count in counts],
    )
    mark = "~" if tally.total.approximate else ""
    others = _table(
        [*SOURCES, "file"],
        [[*(f"{mark}{_rounded(spread.tokens)}" for spread in count.others.values()), count.file] for count in counts],
    )
    applied = _table(
        [*SOURCES, "kind"], [[*(_ratio(ratio) for ratio in by_kind[kind].values()), kind] for kind in kinds]
    )
    parts = [
        f"Tokens of {tally.encoding}\n\n{counted}",
        f"Estimates for other tokenizers: tokens x ratio, the middle of its range\n\n{others}",
        f"Ratios, measured {MEASURED} on one or two texts of each kind (docs/tokens.md)\n\n{applied}",
    ]
    return "\n".join([*parts, *(f"note: {note}\n" for note in worded(tally.notes))])


def _number(count: Tokens) -> str:
    return f"{'~' if count.approximate else ''}{count.tokens:,}"


def _rounded(number: float) -> str:
    """Round an estimated number of tokens to three digits, such as `51,100`. Further digits would not be reliable."""
    digits = len(f"{number:.0f}")
    return f"{round(number, min(3 - digits, 0)):,.0f}"


def _ratio(ratio: Ratio) -> str:
    low, high = f"{ratio.low:.2f}", f"{ratio.high:.2f}"
    return low if low == high else f"{low}-{high}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text.

    The last column is aligned left. Long names in the last column are cut at the start. All other columns are aligned
    right.
    """
    lines = [head, *rows]
    widths = [max(columns_of(line[column]) for line in lines) for column in range(len(head) - 1)]
    name_width = max(width() - sum(widths) - 2 * len(widths), _SHORTEST_NAME)
    text = ""
    for line in lines:
        cells = [right(cell, room) for cell, room in zip(line, widths, strict=False)]
        text += "  ".join([*cells, shorten_left(line[-1], name_width)]) + "\n"
    return text
