"""The catalogue as plain data and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from planner.catalogue.catalogue import STALE, Catalogue
from planner.catalogue.listing import ModelRow, model_row


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
    facts = {key: asdict(fact) for key, fact in catalogue.facts(name).items()}
    data = {**asdict(row), "facts": facts, "caveats": catalogue.caveats(name)}
    return json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
