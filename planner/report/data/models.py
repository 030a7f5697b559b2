"""The catalogue as plain data and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from planner.catalogue.catalogue import STALE, Catalogue
from planner.catalogue.listing import ModelRow, model_row
from planner.report.data.formats import VERSION, notes_data


def models_data(catalogue: Catalogue, rows: Sequence[ModelRow]) -> list[dict[str, Any]]:
    """Convert rows of the table of profiles to dicts.

    Times are in seconds, and speeds are in tokens/s. Prices are in US dollars per million tokens or per hour.
    """
    return [
        {
            **asdict(row),
            "stale": row.oldest is not None and row.oldest > STALE,
            "caveats": _caveats(catalogue, row.name),
        }
        for row in rows
    ]


def models_json(catalogue: Catalogue, rows: Sequence[ModelRow]) -> str:
    """Return the result of `models_data` as JSON text, under the key `models`."""
    data = {"version": VERSION, "models": models_data(catalogue, rows)}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def model_json(catalogue: Catalogue, name: str) -> str:
    """Return a profile as JSON text, with the source of every number.

    Raises InputError if the catalogue has no profile with this name.
    """
    row = model_row(catalogue, name)
    facts = {key: asdict(fact) for key, fact in catalogue.facts(name).items()}
    data = {"version": VERSION, **asdict(row), "facts": facts, "caveats": _caveats(catalogue, name)}
    return json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"


def _caveats(catalogue: Catalogue, name: str) -> list[dict[str, Any]]:
    return notes_data(caveat.note for caveat in catalogue.caveats(name))
