"""Text of a comparison: heat maps that can be read without colour, then the verdict, decisions and notes."""

from __future__ import annotations

from planner.planning.comparison_result import Comparison
from planner.report.text.layout import WIDTH, note_lines, shorten, wrap, wrap_all
from planner.report.wording.comparisons import barrier_sentences, verdict
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
"""256-colour codes of text and background for each shade, legible on dark and light. The glyphs say the same."""

_CELL = 11
_LABEL, _LONGEST_LABEL = 9, 34


def comparison_text(comparison: Comparison) -> str:
    """Completion time, cost, speedup and efficiency of every scenario, then the verdict and the notes."""
    lines = wrap_all(comparison_heading(comparison))
    lines += [line for heat_map in heat_maps(comparison) for line in _lines(heat_map)]
    accepted = accepted_sentence(comparison)
    lines += ["", accepted] if accepted else []
    lines += [
        "",
        *wrap(verdict(comparison)),
        *wrap_all(barrier_sentences(comparison)),
        *_decisions(comparison),
        *note_lines(comparison.notes),
    ]
    return "\n".join(lines) + "\n"


def _decisions(comparison: Comparison) -> list[str]:
    """The section on decisions; empty if there is nothing to say."""
    sentences = decision_sentences(comparison)
    return ["", "Decisions", *wrap_all(sentences), ""] if sentences else []


def _lines(heat_map: HeatMap) -> list[str]:
    names = [shorten(row.name, _LONGEST_LABEL) for row in heat_map.rows]
    label = max(_LABEL, *map(len, names))
    lines = ["", f"{heat_map.title}  {heat_map.legend}".rstrip()]
    per_line = (WIDTH - label) // _CELL
    for first in range(0, len(heat_map.agents), per_line):
        columns = slice(first, first + per_line)
        lines.append(" " * label + "".join(f"{count:>{_CELL}}" for count in heat_map.agents[columns]))
        for name, row in zip(names, heat_map.rows, strict=True):
            lines.append(f"{name:>{label}}" + "".join(map(_cell, row.cells[columns])))
    return lines


def _cell(cell: HeatMapCell) -> str:
    shaded = f"{SHADES[cell.level]}{'*' if cell.best else ' '}{cell.text:>{_CELL - 3}}"
    text_colour, background = _COLOURS[cell.level]
    return f" \x1b[38;5;{text_colour};48;5;{background}m{shaded}\x1b[0m"
