"""Terminal text of comparisons."""

from __future__ import annotations

from planner.errors import columns_of
from planner.planning.comparison_result import Comparison
from planner.report.text.advice import answer_lines
from planner.report.text.columns import right, shorten
from planner.report.text.layout import note_lines, width, wrap_all
from planner.report.wording.decisions import decision_sentences
from planner.report.wording.heat_maps import (
    SHADES,
    HeatMap,
    HeatMapCell,
    accepted_sentence,
    comparison_heading,
    heat_maps,
)

_COLOURS = ((16, 195), (16, 153), (16, 75), (231, 26), (231, 18))
"""256-colour codes of text and background for each shade, legible on dark and light. `SHADES` has their glyphs."""

_CELL = 11
_LABEL, _LONGEST_LABEL = 9, 34


def comparison_text(comparison: Comparison) -> str:
    """Return all of a comparison as text: the answer, heat maps, further facts and notes."""
    lines = [*answer_lines(comparison, everything=True), "", *wrap_all(comparison_heading(comparison))]
    lines += [line for heat_map in heat_maps(comparison, everything=False) for line in _lines(heat_map)]
    accepted = accepted_sentence(comparison)
    lines += ["", accepted] if accepted else []
    sentences = [*_barriers(comparison), *decision_sentences(comparison)]
    lines += ["", "Further facts", *wrap_all(sentences)] if sentences else []
    notes = note_lines(comparison.notes)
    lines += ["", *notes] if notes else []
    return "\n".join(lines) + "\n"


def _lines(heat_map: HeatMap) -> list[str]:
    names = [shorten(row.name, min(_LONGEST_LABEL, width() - 2 * _CELL)) for row in heat_map.rows]
    label = max(_LABEL, *map(columns_of, names))
    lines = ["", heat_map.title]
    per_line = (width() - label) // _CELL
    for first in range(0, len(heat_map.agents), per_line):
        columns = slice(first, first + per_line)
        lines.append(" " * label + "".join(f"{count:>{_CELL}}" for count in heat_map.agents[columns]))
        for name, row in zip(names, heat_map.rows, strict=True):
            lines.append(right(name, label) + "".join(map(_cell, row.cells[columns])))
    return lines


def _cell(cell: HeatMapCell) -> str:
    shaded = f"{SHADES[cell.level]}{'*' if cell.marked else ' '}{cell.text:>{_CELL - 3}}"
    text_colour, background = _COLOURS[cell.level]
    return f" \x1b[38;5;{text_colour};48;5;{background}m{shaded}\x1b[0m"


def _barriers(comparison: Comparison) -> list[str]:
    """Return sentences about the time that LangGraph's barriers cost.

    If the workflow's runtime has no barriers, return an empty list.
    """
    if comparison.barriers is None:
        return []
    from planner.report.wording.barriers import barrier_sentences  # only LangGraph has barriers

    return barrier_sentences(comparison)
