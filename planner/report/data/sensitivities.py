"""Sensitivities as plain data, JSON and CSV: seconds, US dollars, shares."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.sensitivity.dice import Influence
from planner.planning.sensitivity.tornado import Sensitivity
from planner.planning.sensitivity.variations import Effect, first_to_get_right
from planner.report.data.formats import VERSION, as_dict, csv_text, flat, json_text, notes_data, precision_data


def sensitivity_data(sensitivity: Sensitivity) -> dict[str, Any]:
    """Convert a sensitivity analysis to plain dicts and lists: its scenario, and the effect of each number."""
    first = first_to_get_right(sensitivity.estimates)
    return {
        "version": VERSION,
        "workflow": sensitivity.workflow,
        "seed": sensitivity.seed,
        "samples": sensitivity.samples,
        "precision": precision_data(sensitivity.precision),
        **as_dict(sensitivity.scenario),
        "sizes": dict(sensitivity.sizes),
        "seconds": asdict(sensitivity.seconds),
        "usd": None if sensitivity.usd is None else asdict(sensitivity.usd),
        "off": sensitivity.off,
        "first": None if first is None else asdict(first),
        "estimates": [asdict(effect) for effect in sensitivity.estimates],
        "drivers": [_influence(influence) for influence in sensitivity.drivers],
        "notes": notes_data(sensitivity.notes),
    }


def _influence(influence: Influence) -> dict[str, Any]:
    data = asdict(influence)
    return {**data.pop("driver"), **data}


def sensitivity_json(sensitivity: Sensitivity) -> str:
    """Return the result of `sensitivity_data` as JSON text."""
    return json_text(sensitivity_data(sensitivity))


def sensitivity_rows(sensitivity: Sensitivity) -> list[dict[str, Any]]:
    """Return the table rows of a sensitivity analysis: one dict for each number of the file."""
    return [_effect_row(effect) for effect in sensitivity.estimates]


def _effect_row(effect: Effect) -> dict[str, Any]:
    return {key.removesuffix("_value"): value for key, value in flat(asdict(effect)).items()}


def sensitivity_csv(sensitivity: Sensitivity) -> str:
    """Return a sensitivity analysis as CSV text, with one row for each number of the file.

    If there are no numbers, the only row has empty cells.
    """
    return csv_text(sensitivity_rows(sensitivity) or _EMPTY)


def dice_csv(sensitivity: Sensitivity) -> str:
    """Return the influence of random draws as CSV text, with one row for each random quantity.

    If nothing is drawn, the only row has empty cells.
    """
    return csv_text([flat(_influence(influence)) for influence in sensitivity.drivers] or _EMPTY)


_EMPTY: list[dict[str, Any]] = [{"step": "", "kind": "", "key": ""}]
