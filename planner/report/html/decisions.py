"""Targets, tiers and sensitivities as HTML for a notebook, as `notebook` shows forecasts and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.planning.results import Scenario
from planner.planning.sensitivity.tornado import Sensitivity
from planner.planning.target.search import TargetResult
from planner.planning.target.solve import Requirement
from planner.planning.tier.search import TierResult
from planner.report.html.results import (
    data,
    head,
    shaded,
    table,
    whole,
)
from planner.report.text import sensitivity, target, tier
from planner.report.text.tables import Cell, level
from planner.report.wording import quantities
from planner.report.wording.notes import worded


def target_html(plans: TargetResult) -> str:
    """The answer, chances in every scenario, and needed speeds and agents."""
    title, *about = target.heading(plans)
    body = _chances(plans) + _needed(plans, target.SPEEDS, plans.speeds)
    body += _needed(plans, target.AGENTS, plans.agents)
    return whole(title, [*about, *target.answer(plans)], body, [], worded(plans.notes))


def tier_html(found: TierResult) -> str:
    """The answer, it against both ends, and each step by itself."""
    title, *about = tier.heading(found)
    ends = [(name, *tier.chosen_cells(one)) for name, one in tier.shown(found)]
    alone = [tier.alone_cells(one, found.chosen) for one in tier.by_worth(found)]
    body = _rows("", ("", "p50", "95%", "cost p50"), ends)
    body += _rows(tier.ALONE, ("", "p50", "95%", "cost", "s per $", "chosen"), alone)
    return whole(title, [*about, *tier.answer(found)], body, [], worded(found.notes))


def sensitivity_html(found: Sensitivity) -> str:
    """What to measure first, and the drivers that can be told from nothing."""
    told = [one for one in found.drivers if one.told]
    swings = [abs(one.swing) for one in told]
    rows = [
        [
            head(sensitivity.driver_name(one.driver), scope="row"),
            data(quantities.seconds(one.p90_low)), data(quantities.seconds(one.p90_high)),
            shaded(Cell(sensitivity.swing(one), level(abs(one.swing), swings), False)),
            data(quantities.percent(one.share)),
        ]
        for one in told
    ]  # fmt: skip
    columns = ("", "p90 in its lowest fifth", "in its highest", "swing", "share of variance")
    body = table("", [head(name) for name in columns], rows) if rows else ""
    title, *about = sensitivity.heading(found)
    return whole(title, [*about, *sensitivity.answer(found)], body, [], worded(found.notes))


def _chances(plans: TargetResult) -> str:
    found = {one.scenario: one for one in plans.candidates}
    agents = list(dict.fromkeys(point.agents for point in found))
    chances = [one.chance.chance for one in plans.candidates]
    rows = []
    for model, speed in dict.fromkeys((point.model, point.speed) for point in found):
        cells = [found[Scenario(model, speed, count)] for count in agents]
        rows.append(
            [
                head(target.row_name(plans, model, speed), scope="row"),
                *(
                    shaded(
                        Cell(
                            f"{target.mark(one)} {quantities.share(one.chance.chance)}".strip(),
                            level(one.chance.chance, chances),
                            False,
                        )
                    )
                    for one in cells
                ),
            ]
        )
    return table(target.chances_title(plans), [head(""), *(head(f"{count:,}") for count in agents)], rows)


def _needed(plans: TargetResult, title: str, found: Iterable[Requirement]) -> str:
    columns = ("", "needs", "95%", target.percentile(plans.target), "cost")
    return _rows(title, columns, [target.needed(plans, one) for one in found])


def _rows(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [[head(name, scope="row"), *map(data, rest)] for name, *rest in rows]
    return table(title, [head(name) for name in columns], cells)
