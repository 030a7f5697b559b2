"""Forecasts and comparisons as plain data, JSON and CSV: seconds, US dollars, tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.comparison_result import Comparison
from planner.planning.forecast_result import Forecast
from planner.planning.results import Result
from planner.report.data.formats import csv_text, flat, json_text, plain_data, precision_data
from planner.report.wording.comparisons import verdict
from planner.report.wording.notes import worded
from planner.report.wording.quantities import verdict_seconds


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Plain data of a comparison: its scenarios, verdict and decisions."""
    return {
        "workflow": comparison.workflow,
        "seed": comparison.seed,
        "samples": comparison.samples,
        "precision": precision_data(comparison.precision),
        "baseline": asdict(comparison.baseline),
        "scenarios": [_result(result) for result in comparison.results],
        "verdict": verdict(comparison, verdict_seconds),
        "notes": list(worded(comparison.notes)),
        "decisions": plain_data(comparison.decisions),
        **_barriers(comparison),
    }


def forecast_data(forecast: Forecast) -> dict[str, Any]:
    """Plain data of a forecast: one scenario with its breakdown and steps."""
    return {
        "workflow": forecast.workflow,
        "seed": forecast.seed,
        "samples": forecast.samples,
        "precision": precision_data(forecast.precision),
        "baseline": asdict(forecast.baseline),
        **_result(forecast.result),
        "breakdown": dict(forecast.breakdown),
        "steps": _steps(forecast),
        "breakdown_standard_error": dict(forecast.breakdown_standard_error),
        "distribution": plain_data(forecast.distribution),
        "crews": [asdict(crew) for crew in forecast.crews],
        "drag_samples": forecast.drag_samples,
        "typical": plain_data(forecast.typical),
        "notes": list(worded(forecast.notes)),
    }


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Rows of the CSV of a comparison, one for each scenario."""
    return [flat(_result(result)) for result in comparison.results]


def forecast_rows(forecast: Forecast) -> list[dict[str, Any]]:
    """Rows of the CSV of a forecast, one for each step."""
    return [flat(step) for step in _steps(forecast)]


def comparison_json(comparison: Comparison) -> str:
    """JSON of a comparison: the data that `comparison_data` returns."""
    return json_text(comparison_data(comparison))


def forecast_json(forecast: Forecast) -> str:
    """JSON of a forecast: the data that `forecast_data` returns."""
    return json_text(forecast_data(forecast))


def comparison_csv(comparison: Comparison) -> str:
    """CSV of a comparison, one row for each scenario."""
    return csv_text(comparison_rows(comparison))


def forecast_csv(forecast: Forecast) -> str:
    """CSV of a forecast, one row for each step."""
    return csv_text(forecast_rows(forecast))


def _barriers(comparison: Comparison) -> dict[str, Any]:
    """Return plain data of the cost of barriers. Return an empty dict if the comparison has no data on barriers."""
    barriers = comparison.barriers
    return {} if barriers is None else {"barriers": {**asdict(barriers), "cost": barriers.cost}}


def _result(result: Result) -> dict[str, Any]:
    data = asdict(result)
    return {**data.pop("scenario"), **data}


def _steps(forecast: Forecast) -> list[dict[str, Any]]:
    return [asdict(step) for step in forecast.steps]
