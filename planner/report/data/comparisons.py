"""Comparisons as plain data, JSON and CSV: seconds, US dollars, tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.comparison_result import Comparison
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


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Convert a comparison to plain dicts and lists: its advice, scenarios and decisions."""
    return {
        "version": VERSION,
        "workflow": comparison.workflow,
        "seed": comparison.seed,
        "samples": comparison.samples,
        "precision": precision_data(comparison.precision),
        "advice": plain_data(comparison.advice),
        "baseline": plain_data(comparison.baseline),
        "scenarios": [scenario_data(result) for result in comparison.results],
        "notes": notes_data(comparison.notes),
        "decisions": plain_data(comparison.decisions),
        **_barriers(comparison),
        **_each_crew(comparison),
    }


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the table rows of a comparison: one dict for each scenario."""
    return [flat(scenario_data(result)) for result in comparison.results]


def comparison_json(comparison: Comparison) -> str:
    """Return the result of `comparison_data` as JSON text."""
    return json_text(comparison_data(comparison))


def comparison_csv(comparison: Comparison) -> str:
    """Return a comparison as CSV text, with one row for each scenario."""
    return csv_text(comparison_rows(comparison))


def _each_crew(comparison: Comparison) -> dict[str, Any]:
    """Return a dict with `Comparison.each_crew`. If a single crew varies, return an empty dict."""
    if not comparison.advice.declared.others:
        return {}
    return {"each_crew": [plain_data(change) for change in comparison.each_crew]}


def _barriers(comparison: Comparison) -> dict[str, Any]:
    """Return a dict with the time that LangGraph's barriers cost.

    If the comparison has no data on barriers, return an empty dict.
    """
    barriers = comparison.barriers
    return {} if barriers is None else {"barriers": {**asdict(barriers), "cost": barriers.cost}}
