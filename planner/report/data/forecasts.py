"""Forecasts as plain data, JSON and CSV: seconds, US dollars, tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.forecast_result import Forecast
from planner.report.data.formats import (
    VERSION,
    csv_text,
    flat,
    json_text,
    notes_data,
    plain_data,
    precision_data,
    scenario_data,
)


def forecast_data(forecast: Forecast) -> dict[str, Any]:
    """Convert a forecast to plain dicts and lists: its scenario, its steps, and the parts of the completion time."""
    return {
        "version": VERSION,
        "workflow": forecast.workflow,
        "seed": forecast.seed,
        "samples": forecast.samples,
        "precision": precision_data(forecast.precision),
        "baseline": plain_data(forecast.baseline),
        "sizes": dict(forecast.sizes),
        **scenario_data(forecast.result),
        "breakdown": dict(forecast.breakdown),
        "steps": _steps(forecast),
        "breakdown_standard_error": dict(forecast.breakdown_standard_error),
        "distribution": plain_data(forecast.distribution),
        "crews": [asdict(crew) for crew in forecast.crews],
        "drag_samples": forecast.drag_samples,
        "holders": [asdict(holder) for holder in forecast.holders],
        "typical": plain_data(forecast.typical),
        "notes": notes_data(forecast.notes),
    }


def forecast_rows(forecast: Forecast) -> list[dict[str, Any]]:
    """Return the table rows of a forecast: one dict for each step of the workflow."""
    return [flat(step) for step in _steps(forecast)]


def forecast_json(forecast: Forecast) -> str:
    """Return the result of `forecast_data` as JSON text."""
    return json_text(forecast_data(forecast))


def forecast_csv(forecast: Forecast) -> str:
    """Return a forecast as CSV text, with one row for each step of the workflow."""
    return csv_text(forecast_rows(forecast))


def _steps(forecast: Forecast) -> list[dict[str, Any]]:
    return [asdict(step) for step in forecast.steps]
