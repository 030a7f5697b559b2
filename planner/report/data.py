"""Results as JSON and CSV (docs/reference/json.md): seconds, US dollars, tokens."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from planner.planning.results import Comparison, Forecast, Result
from planner.report import words


def comparison_json(comparison: Comparison) -> str:
    """A comparison, its scenarios and its verdict."""
    return _json(
        {
            "workflow": comparison.workflow,
            "seed": comparison.seed,
            "samples": comparison.samples,
            "baseline": asdict(comparison.baseline),
            "scenarios": [_result(result) for result in comparison.results],
            "verdict": words.verdict(comparison),
            **_barriers(comparison),
        }
    )


def _barriers(comparison: Comparison) -> dict[str, Any]:
    """What barriers cost, where there are any."""
    found = comparison.barriers
    return {} if found is None else {"barriers": {**asdict(found), "cost": found.cost}}


def forecast_json(forecast: Forecast) -> str:
    """A forecast: one scenario with its breakdown and steps."""
    return _json(
        {
            "workflow": forecast.workflow,
            "seed": forecast.seed,
            "samples": forecast.samples,
            "baseline": asdict(forecast.baseline),
            **_result(forecast.result),
            "breakdown": dict(forecast.breakdown),
            "steps": _steps(forecast),
        }
    )


def comparison_csv(comparison: Comparison) -> str:
    """A row for each scenario."""
    return _csv([_flat(_result(result)) for result in comparison.results])


def forecast_csv(forecast: Forecast) -> str:
    """A row for each step."""
    return _csv([_flat(step) for step in _steps(forecast)])


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
        elif key == "usd" and value is None and "kind" not in data:
            row |= {f"{prefix}usd_{part}": None for part in ("mean", "p50", "p90")}
        else:
            row[prefix + key] = value
    return row


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
