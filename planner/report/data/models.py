"""Rows of the catalogue, and token counts: each as plain data and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from planner.catalogue.catalogue import STALE, Catalogue
from planner.catalogue.listing import ModelRow, model_row
from planner.tokens.counting import Tally, Tokens
from planner.tokens.text_kind import KINDS, MEASURED, SOURCES, ratios


def models_data(catalogue: Catalogue, rows: Sequence[ModelRow]) -> list[dict[str, Any]]:
    """Plain data of the rows of a catalogue. Units: seconds, tokens/s, US dollars per million tokens or per hour."""
    return [
        {**asdict(row), "stale": row.oldest is not None and row.oldest > STALE, "caveats": catalogue.caveats(row.name)}
        for row in rows
    ]


def models_json(catalogue: Catalogue, rows: Sequence[ModelRow]) -> str:
    """JSON of the rows of a catalogue: the list that `models_data` returns."""
    return json.dumps(models_data(catalogue, rows), indent=2, ensure_ascii=False) + "\n"


def model_json(catalogue: Catalogue, name: str) -> str:
    """JSON of one profile, with the source of every number. Raises InputError for an unknown name."""
    row = model_row(catalogue, name)
    facts = {
        key: {
            field: str(value) if field in ("as_of", "retired_on") and value else value
            for field, value in asdict(fact).items()
        }
        for key, fact in catalogue.facts(name).items()
    }
    data = {**asdict(row), "facts": facts, "caveats": catalogue.caveats(name)}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def tokens_json(tally: Tally) -> str:
    """JSON of token counts, with unrounded estimates for other tokenizers, and all ratios with their sources."""
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
