"""Terminal text of comparisons."""

from __future__ import annotations

from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.planning.comparison_result import Comparison
from planner.report.text.layout import note_lines, shorten, shorten_left, width, wrap, wrap_all
from planner.report.wording.advice import (
    AdviceCell,
    AdviceTable,
    advice_sentences,
    advice_table,
    declared_phrase,
    question,
    screen_notes,
)
from planner.report.wording.comparisons import verdict
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

MOST_LINES = 18
"""Most lines of the first screen, notes and wide grids aside."""

MOST_COLUMNS = 5
"""Most numbers of agents next to each other on the first screen."""

_LEAST_LABEL = 6
"""Fewest columns of a row's name in the table of the first screen."""

_CELL = 11
_LABEL, _LONGEST_LABEL = 9, 34


def first_screen(comparison: Comparison) -> str:
    """Return the answer of a comparison as text: verdict, gains, holders, a table, and at most two notes."""
    shown, others = screen_notes(comparison.notes)
    more = f"{others} more note{'s' * (others != 1)}, tables" if others else "tables"
    pointer = f"-> --all: {more}, decisions; planner forecast; planner sensitivity"
    lines = [*_answer(comparison), pointer, *note_lines(shown)]
    return "\n".join(lines) + "\n"


def _answer(comparison: Comparison) -> list[str]:
    """Return the lines of the first screen without notes."""
    advice, title = comparison.advice, question(comparison)
    declared = declared_phrase(advice)
    room = width() - len(title) - len(declared)
    lines = [f"{title}{' ' * room}{declared}"] if room >= 2 else wrap_all([title, declared.capitalize()])
    table = advice_table(comparison)
    sentences = wrap_all(advice_sentences(advice))
    rows = [*_table(table), *wrap(table.legend)]
    blank = [""] if len(lines) + len(sentences) + len(rows) + 2 <= MOST_LINES else []
    return [*lines, *sentences, *blank, *rows]


def _table(table: AdviceTable) -> list[str]:
    column = 4 + max(len(cell.text) for _, _, cells in table.rows for cell in cells)
    room = max(_LEAST_LABEL, width() - column * min(MOST_COLUMNS, len(table.agents)))
    names = [f"{shorten_left(name, room - len(mark))}{mark}" for name, mark, _ in table.rows]
    crew = "agents" if table.crew == DEFAULT_CREW else shorten(table.crew, room)
    label = max(_LEAST_LABEL, len(crew), *map(len, names))
    most = max(1, (width() - label) // column)
    lines = []
    for first in range(0, len(table.agents), most):
        columns = slice(first, first + most)
        head = "".join(f"{count:>{column - 2},}  " for count in table.agents[columns])
        lines.append(f"{crew:>{label}}{head}".rstrip())
        for name, (_, _, cells) in zip(names, table.rows, strict=True):
            lines.append((f"{name:>{label}}" + "".join(_advice_cell(cell, column) for cell in cells[columns])).rstrip())
    return lines


def _advice_cell(cell: AdviceCell, column: int) -> str:
    text = f"[{cell.text}]" if cell.declared else f"{cell.text} "
    return f"{text:>{column - 1}}{'*' if cell.recommended else ' '}"


def comparison_text(comparison: Comparison) -> str:
    """Return all of a comparison as text: the answer, heat maps, verdict on the grid, decisions and notes."""
    lines = [*_answer(comparison), "", *wrap_all(comparison_heading(comparison))]
    lines += [line for heat_map in heat_maps(comparison) for line in _lines(heat_map)]
    accepted = accepted_sentence(comparison)
    lines += ["", accepted] if accepted else []
    lines += [
        "",
        *wrap(verdict(comparison)),
        *wrap_all(_barriers(comparison)),
        *_decisions(comparison),
        *note_lines(comparison.notes),
    ]
    return "\n".join(lines) + "\n"


def _decisions(comparison: Comparison) -> list[str]:
    """Return the lines of the section `Decisions`. If there are no sentences on decisions, return an empty list."""
    sentences = decision_sentences(comparison)
    return ["", "Decisions", *wrap_all(sentences), ""] if sentences else []


def _lines(heat_map: HeatMap) -> list[str]:
    names = [shorten(row.name, min(_LONGEST_LABEL, width() - 2 * _CELL)) for row in heat_map.rows]
    label = max(_LABEL, *map(len, names))
    lines = ["", f"{heat_map.title}  {heat_map.legend}".rstrip()]
    per_line = (width() - label) // _CELL
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


def _barriers(comparison: Comparison) -> list[str]:
    """Return sentences about the time that LangGraph's barriers cost.

    If the workflow's runtime has no barriers, return an empty list.
    """
    if comparison.barriers is None:
        return []
    from planner.report.wording.barriers import barrier_sentences  # only LangGraph has barriers

    return barrier_sentences(comparison)
