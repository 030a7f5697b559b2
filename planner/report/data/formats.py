"""JSON and CSV, and dataclasses as plain data."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict, fields
from typing import Any

from planner.planning.results import Usd
from planner.sampling.sample import Precision

_NUMBERS = re.compile(r"\[\n\s+([-+.,\deE\s]+?)\n\s+\]")
"""A list of numbers, to be written on one line. Strings cannot match: JSON escapes their line breaks."""


def plain_data(data: Any) -> Any:
    """A dataclass as plain dicts and lists."""

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: convert(item) for key, item in value.items()}
        return [convert(item) for item in value] if isinstance(value, list | tuple) else value

    return convert(asdict(data))


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A row of CSV: nested keys are joined by underscores; an unknown cost leaves its columns empty."""
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
    """JSON, indented, with lists of numbers on one line."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def csv_text(rows: list[dict[str, Any]]) -> str:
    """CSV with a header; the first row decides the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def precision_data(precision: Precision) -> dict[str, Any]:
    """Precision that was reached, and whether that was the goal."""
    return {**asdict(precision), "converged": precision.converged}
