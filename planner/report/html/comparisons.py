"""Comparisons as HTML."""

from __future__ import annotations

from planner.planning.comparison_result import Comparison
from planner.report.html.elements import head, page, shaded, table
from planner.report.wording.advice import advice_sentences, declared_phrase, question
from planner.report.wording.decisions import decision_sentences
from planner.report.wording.heat_maps import (
    HeatMap,
    accepted_sentence,
    comparison_heading,
    heat_maps,
)
from planner.report.wording.notes import worded


def comparison_html(comparison: Comparison) -> str:
    """Return a comparison as HTML: advice, heat maps, further facts and notes."""
    about = [declared_phrase(comparison.advice).capitalize(), *_advice(comparison), *comparison_heading(comparison)]
    maps = "".join(map(_heat_map, heat_maps(comparison)))
    body = f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start;column-gap:28px">{maps}</div>'
    sentences = [
        accepted_sentence(comparison), *_barriers(comparison), *decision_sentences(comparison),
    ]  # fmt: skip
    return page(question(comparison), about, body, filter(None, sentences), worded(comparison.notes))


def _advice(comparison: Comparison) -> list[str]:
    return advice_sentences(comparison.advice, comparison.each_crew)


def _heat_map(heat_map: HeatMap) -> str:
    columns = [head("", "left"), *(head(f"{count:,}") for count in heat_map.agents)]
    rows = [[head(row.name, scope="row"), *map(shaded, row.cells)] for row in heat_map.rows]
    return table(heat_map.title, columns, rows)


def _barriers(comparison: Comparison) -> list[str]:
    """Return sentences about the time that LangGraph's barriers cost.

    If the workflow's runtime has no barriers, return an empty list.
    """
    if comparison.barriers is None:
        return []
    from planner.report.wording.barriers import barrier_sentences  # only LangGraph has barriers

    return barrier_sentences(comparison)
