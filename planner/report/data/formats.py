"""Convert dataclasses to plain data, and plain data to JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from planner.errors import Note
from planner.planning.results import Result, Usd
from planner.report.wording.notes import worded
from planner.sampling.sample import Precision

VERSION = 2
"""Version of the JSON of results. It changes if the meaning of a field changes."""

_NUMBERS = re.compile(r"\[\n\s+([-+.,\deE\s]+?)\n\s+\]")
"""Matches a list of numbers in indented JSON. It cannot match inside a string, since JSON escapes line breaks."""


def plain_data(data: Any) -> Any:
    """Convert a dataclass to plain dicts and lists. Dataclasses inside the dataclass are also converted."""
    return _plain(as_dict(data))


def _plain(value: Any) -> Any:
    """Convert mappings and sequences to dicts and lists, at all depths."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def notes_data(notes: Iterable[Note]) -> list[dict[str, Any]]:
    """Convert notes to dicts with the keys `code`, `text` (the sentence) and `values` (the data in the sentence)."""
    return [{"code": note.code, "text": str(note), "values": _plain(note.values)} for note in worded(notes)]


def as_dict(data: Any) -> dict[str, Any]:
    """Convert a dataclass to a dict. `Scenario.others` becomes a dict: name of crew → number of agents."""
    return asdict(data, dict_factory=_fields)


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: dict(value) if name == "others" else value for name, value in pairs}


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested dicts to one CSV row. For example, `{"usd": {"p50": 3}}` becomes `{"usd_p50": 3}`.

    If the cost (`usd`) is None, the row has None for each part of the cost, such as `usd_p50`.

    prefix : text before each key
    """
    row: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            row |= flat(value, f"{prefix}{key}_")
        elif key == "usd" and value is None and isinstance(data.get("seconds"), dict):
            row |= {f"{prefix}usd_{field.name}": None for field in fields(Usd)}
        else:
            row[prefix + key] = value
    return row


def json_text(data: dict[str, Any]) -> str:
    """Convert dicts and lists to indented JSON text. Each list of numbers is on one line."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def csv_text(rows: list[dict[str, Any]]) -> str:
    """Convert rows to CSV text with a header. The keys of the first row are the names of the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def precision_data(precision: Precision) -> dict[str, Any]:
    """Convert a precision to a dict. The key ``converged`` tells whether the requested precision was reached."""
    return {**asdict(precision), "converged": precision.converged}


def scenario_data(result: Result) -> dict[str, Any]:
    """Convert the result of one scenario to a dict. The dict also has the fields of the scenario."""
    data = as_dict(result)
    return {**data.pop("scenario"), **data}
