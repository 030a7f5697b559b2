"""Convert dataclasses to plain data, and plain data to JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict, fields
from typing import Any

from planner.planning.results import Result, Usd
from planner.sampling.sample import Precision

_NUMBERS = re.compile(r"\[\n\s+([-+.,\deE\s]+?)\n\s+\]")
"""Matches a list of numbers in indented JSON. It cannot match inside a string, since JSON escapes line breaks."""


def plain_data(data: Any) -> Any:
    """Convert a dataclass to plain dicts and lists. Dataclasses inside it are converted too."""

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: convert(item) for key, item in value.items()}
        return [convert(item) for item in value] if isinstance(value, list | tuple) else value

    return convert(asdict(data))


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested data as a row of CSV. Underscores join nested keys. If a cost is unknown, its columns are empty."""
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
    """Return plain data as indented JSON, with each list of numbers on one line."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def csv_text(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV with a header. The keys of the first row are the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def precision_data(precision: Precision) -> dict[str, Any]:
    """Return plain data of a precision: the precision that was reached, and whether this precision meets the goal."""
    return {**asdict(precision), "converged": precision.converged}


def scenario_data(result: Result) -> dict[str, Any]:
    """Plain data of one scenario and its simulated quantities."""
    data = asdict(result)
    return {**data.pop("scenario"), **data}
