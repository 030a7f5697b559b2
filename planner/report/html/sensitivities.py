"""Sensitivities as HTML."""

from __future__ import annotations

from planner.planning.sensitivity.tornado import Sensitivity
from planner.report.html.elements import data, head, page, shaded, table
from planner.report.wording import quantities
from planner.report.wording.heat_maps import HeatMapCell, shade
from planner.report.wording.notes import worded
from planner.report.wording.sensitivities import (
    chart_title,
    driver_name,
    effect_cells,
    effect_columns,
    effect_name,
    sensitivity_answer,
    sensitivity_heading,
    shown,
    swing,
)


def sensitivity_html(sensitivity: Sensitivity) -> str:
    """Return a sensitivity analysis as HTML.

    The page shows the most influential estimate, a table of the numbers with an effect, and a table of random draws.
    """
    title, *about = sensitivity_heading(sensitivity)
    body = _effects(sensitivity) + _drivers(sensitivity)
    return page(title, [*about, *sensitivity_answer(sensitivity)], body, [], worded(sensitivity.notes))


def _effects(sensitivity: Sensitivity) -> str:
    effects = [effect for effect in sensitivity.estimates if shown(sensitivity, effect)]
    sizes = [effect.effect or 0.0 for effect in effects]
    rows = []
    for effect in effects:
        low, high, cost = effect_cells(sensitivity, effect)
        change = effect.effect or 0.0
        cell = shaded(HeatMapCell(quantities.seconds(change), shade(change, sizes), False))
        rows.append([head(effect_name(effect), scope="row"), data(low), data(high), cell, data(cost)])
    less, more, cost = effect_columns(sensitivity)
    columns = ("", less, more, "change of p90", cost)
    return table(chart_title(sensitivity), [head(name) for name in columns], rows) if rows else ""


def _drivers(sensitivity: Sensitivity) -> str:
    influences = [influence for influence in sensitivity.drivers if influence.told]
    swings = [abs(influence.swing) for influence in influences]
    rows = [
        [
            head(driver_name(influence.driver), scope="row"),
            data(quantities.seconds(influence.p90_low)), data(quantities.seconds(influence.p90_high)),
            shaded(HeatMapCell(swing(influence), shade(abs(influence.swing), swings), False)),
            data(quantities.percent(influence.share)),
        ]
        for influence in influences
    ]  # fmt: skip
    columns = ("", "p90 in its lowest fifth", "in its highest", "swing", "share of variance")
    return table("Random draws", [head(name) for name in columns], rows) if rows else ""
