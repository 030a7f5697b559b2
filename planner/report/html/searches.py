"""Targets and tiers as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.planning.results import Scenario
from planner.planning.target.search import TargetResult
from planner.planning.target.solve import Requirement
from planner.planning.tier.search import TierResult, by_worth
from planner.report.html.elements import data, head, page, shaded, table
from planner.report.wording import quantities
from planner.report.wording.heat_maps import HeatMapCell, shade
from planner.report.wording.notes import worded
from planner.report.wording.targets import (
    AGENTS,
    SPEEDS,
    candidate_mark,
    chances_title,
    percentile,
    requirement_row,
    target_answer,
    target_heading,
    target_question,
    target_row_name,
)
from planner.report.wording.tiers import ALONE, choice_cells, step_cells, tier_answer, tier_heading, tier_question


def target_html(result: TargetResult) -> str:
    """Return a `TargetResult` as HTML.

    Tables show the chance of each scenario, the needed speeds, and the needed numbers of agents.
    """
    body = _chances(result) + (_requirements(result, SPEEDS, result.speeds) if result.speeds else "")
    body += _requirements(result, AGENTS, result.agents)
    answer = [*target_answer(result), target_heading(result)]
    return page(target_question(result), answer, body, [], worded(result.notes))


def tier_html(result: TierResult) -> str:
    """Return a `TierResult` as HTML: the steps to put on a fast tier, and tables of the tried choices."""
    choices = [
        (cells.name, cells.time, cells.interval, f"{cells.cost} {cells.mark}" if cells.mark else cells.cost)
        for cells in choice_cells(result)
    ]
    steps = [step_cells(choice, result.chosen) for choice in by_worth(result)]
    q = percentile(result.limits.percentile)
    body = _table("", ("", q, "95%", f"cost {q}"), choices)
    body += _table(ALONE, ("", "p50", "95%", "cost", "s per $", "chosen"), steps)
    answer = [*tier_answer(result), *tier_heading(result)]
    return page(tier_question(result), answer, body, [], worded(result.notes))


def _chances(result: TargetResult) -> str:
    """Return the HTML of a heat map. Each cell shows the chance that a scenario meets the deadline."""
    candidates = {candidate.scenario: candidate for candidate in result.candidates}
    agents = list(dict.fromkeys(scenario.agents for scenario in candidates))
    chances = [candidate.chance.chance for candidate in result.candidates]
    rows = []
    for model, speed, others in dict.fromkeys(
        (scenario.model, scenario.speed, scenario.others) for scenario in candidates
    ):
        cells = []
        for count in agents:
            candidate = candidates[Scenario(model, speed, count, others)]
            chance = candidate.chance.chance
            text = f"{candidate_mark(candidate)} {quantities.share(chance)}".strip()
            cells.append(shaded(HeatMapCell(text, shade(chance, chances), False)))
        rows.append([head(target_row_name(result, model, speed, others), scope="row"), *cells])
    return table(chances_title(result), [head(""), *(head(f"{count:,}") for count in agents)], rows)


def _requirements(result: TargetResult, title: str, requirements: Iterable[Requirement]) -> str:
    columns = ("", "needs", "95%", percentile(result.target.percentile), "cost")
    rows = [requirement_row(result, requirement) for requirement in requirements]
    return _table(
        title, columns, [(row.label, row.needed, row.interval, row.percentile, row.last_cell) for row in rows]
    )


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the HTML of a table. The first text of each row becomes the head of the row."""
    cells = [[head(name, scope="row"), *map(data, texts)] for name, *texts in rows]
    return table(title, [head(name) for name in columns], cells)
