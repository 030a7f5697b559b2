"""Targets, tiers and sensitivities as HTML for a notebook, as `notebook` shows forecasts and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.planning.needed import Needed
from planner.planning.results import Scenario
from planner.planning.sensitivity import Sensitivity
from planner.planning.target import Plans
from planner.planning.tier import Tiering
from planner.report import sensitivity_text, target_text, tier_text, words
from planner.report.notebook import data, head, shaded, table, whole
from planner.report.tables import Cell, level


def target_html(plans: Plans) -> str:
    """The answer, chances in every scenario, and needed speeds and agents."""
    title, *about = target_text.heading(plans)
    body = _chances(plans) + _needed(plans, target_text.SPEEDS, plans.speeds)
    body += _needed(plans, target_text.AGENTS, plans.agents)
    return whole(title, [*about, *target_text.answer(plans)], body, [], plans.notes)


def tier_html(found: Tiering) -> str:
    """The answer, it against both ends, and each step by itself."""
    title, *about = tier_text.heading(found)
    ends = [(name, *tier_text.chosen_cells(one)) for name, one in tier_text.shown(found)]
    alone = [tier_text.alone_cells(one, found.chosen) for one in tier_text.by_worth(found)]
    body = _rows("", ("", "p50", "95%", "cost p50"), ends)
    body += _rows(tier_text.ALONE, ("", "p50", "95%", "cost", "s per $", "chosen"), alone)
    return whole(title, [*about, *tier_text.answer(found)], body, [], found.notes)


def sensitivity_html(found: Sensitivity) -> str:
    """What to measure first, and the drivers that can be told from nothing."""
    told = [one for one in found.drivers if one.told]
    swings = [abs(one.swing) for one in told]
    rows = [
        [
            head(sensitivity_text.driver_name(one.driver), scope="row"),
            data(words.seconds(one.p90_low)), data(words.seconds(one.p90_high)),
            shaded(Cell(sensitivity_text.swing(one), level(abs(one.swing), swings), False)),
            data(words.percent(one.share)),
        ]
        for one in told
    ]  # fmt: skip
    columns = ("", "p90 in its lowest fifth", "in its highest", "swing", "share of variance")
    body = table("", [head(name) for name in columns], rows) if rows else ""
    title, *about = sensitivity_text.heading(found)
    return whole(title, [*about, *sensitivity_text.answer(found)], body, [], found.notes)


def _chances(plans: Plans) -> str:
    found = {one.scenario: one for one in plans.candidates}
    agents = list(dict.fromkeys(point.agents for point in found))
    chances = [one.chance.chance for one in plans.candidates]
    rows = []
    for model, speed in dict.fromkeys((point.model, point.speed) for point in found):
        cells = [found[Scenario(model, speed, count)] for count in agents]
        rows.append(
            [
                head(target_text.row_name(plans, model, speed), scope="row"),
                *(
                    shaded(
                        Cell(
                            f"{target_text.mark(one)} {words.share(one.chance.chance)}".strip(),
                            level(one.chance.chance, chances),
                            False,
                        )
                    )
                    for one in cells
                ),
            ]
        )
    return table(target_text.chances_title(plans), [head(""), *(head(f"{count:,}") for count in agents)], rows)


def _needed(plans: Plans, title: str, found: Iterable[Needed]) -> str:
    columns = ("", "needs", "95%", target_text.percentile(plans.target), "cost")
    return _rows(title, columns, [target_text.needed(plans, one) for one in found])


def _rows(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [[head(name, scope="row"), *map(data, rest)] for name, *rest in rows]
    return table(title, [head(name) for name in columns], cells)
