"""Results as JSON and CSV (docs/reference/json.md): seconds, US dollars, tokens."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict, fields
from typing import Any

from planner.planning.comparison_result import Comparison
from planner.planning.forecast_result import Forecast
from planner.planning.results import Result, Usd
from planner.report.wording import quantities
from planner.report.wording.notes import worded
from planner.sampling.sample import Precision

_NUMBERS = re.compile(r"\[\n\s+([-+.,\deE\s]+?)\n\s+\]")
"""Lists of numbers, which go on one line. No text has a line break of its own."""


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison, its scenarios and its verdict."""
    return {
        "workflow": comparison.workflow,
        "seed": comparison.seed,
        "samples": comparison.samples,
        "precision": _precision(comparison.precision),
        "baseline": asdict(comparison.baseline),
        "scenarios": [_result(result) for result in comparison.results],
        "verdict": quantities.verdict(comparison),
        "notes": list(worded(comparison.notes)),
        "decisions": _plain(comparison.decisions),
        **_barriers(comparison),
    }


def forecast_data(forecast: Forecast) -> dict[str, Any]:
    """A forecast: one scenario with its breakdown and steps."""
    return {
        "workflow": forecast.workflow,
        "seed": forecast.seed,
        "samples": forecast.samples,
        "precision": _precision(forecast.precision),
        "baseline": asdict(forecast.baseline),
        **_result(forecast.result),
        "breakdown": dict(forecast.breakdown),
        "steps": _steps(forecast),
        "breakdown_standard_error": dict(forecast.breakdown_standard_error),
        "distribution": _plain(forecast.distribution),
        "crews": [asdict(crew) for crew in forecast.crews],
        "drag_samples": forecast.drag_samples,
        "typical": _plain(forecast.typical),
        "notes": list(worded(forecast.notes)),
    }


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A row for each scenario."""
    return [_flat(_result(result)) for result in comparison.results]


def forecast_rows(forecast: Forecast) -> list[dict[str, Any]]:
    """A row for each step."""
    return [_flat(step) for step in _steps(forecast)]


def comparison_json(comparison: Comparison) -> str:
    """`comparison_data` as JSON."""
    return _json(comparison_data(comparison))


def forecast_json(forecast: Forecast) -> str:
    """`forecast_data` as JSON."""
    return _json(forecast_data(forecast))


def comparison_csv(comparison: Comparison) -> str:
    """`comparison_rows` as CSV."""
    return _csv(comparison_rows(comparison))


def forecast_csv(forecast: Forecast) -> str:
    """`forecast_rows` as CSV."""
    return _csv(forecast_rows(forecast))


def _precision(precision: Precision) -> dict[str, Any]:
    return {**asdict(precision), "converged": precision.converged}


def _barriers(comparison: Comparison) -> dict[str, Any]:
    """What barriers cost, where there are any."""
    found = comparison.barriers
    return {} if found is None else {"barriers": {**asdict(found), "cost": found.cost}}


def _plain(data: Any) -> Any:
    """A dataclass as JSON has it: mappings and lists."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return plain(asdict(data))


def _result(result: Result) -> dict[str, Any]:
    data = asdict(result)
    return {**data.pop("scenario"), **data}


def _steps(forecast: Forecast) -> list[dict[str, Any]]:
    return [asdict(step) for step in forecast.steps]


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by underscores; a cost that is unknown leaves its columns empty."""
    row: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{prefix}{key}_")
        elif key == "usd" and value is None and isinstance(data.get("seconds"), dict):
            row |= {f"{prefix}usd_{field.name}": None for field in fields(Usd)}
        else:
            row[prefix + key] = value
    return row


def _json(data: dict[str, Any]) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


flat, json_text, csv_text, plain = _flat, _json, _csv, _plain
"""For results of other commands."""
