"""The first screen of a comparison: the answer, a table of times and costs, and at most two notes."""

from __future__ import annotations

from planner.errors import columns_of
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.planning.comparison_result import ComparisonAnswer
from planner.report.text.columns import right, shorten, shorten_left
from planner.report.text.layout import note_lines, width, wrap, wrap_all
from planner.report.wording.advice import (
    AdviceCell,
    AdviceTable,
    advice_sentences,
    advice_table,
    declared_phrase,
    question,
    unpaid_crew,
)
from planner.report.wording.screen_notes import additions, screen_notes

MOST_LINES = 18
"""Most lines of the first screen, notes and wide grids aside."""

MOST_COLUMNS = 5
"""Most numbers of agents next to each other on the first screen."""

_LEAST_LABEL = 6
"""Fewest columns of a row's name in the table of the first screen."""


def first_screen(comparison: ComparisonAnswer, more: str = "--all") -> str:
    """Return the answer of a comparison as text: verdict, gains, largest drags, a table, and at most two notes.

    more : option or call that shows the rest
    """
    said = ("unpaid-people",) if unpaid_crew(comparison) else ()
    notes = screen_notes(comparison.notes, said)
    pointer = f"{more} adds {additions(['tables', 'further facts'], comparison.notes, notes, said)}."
    lines = [*answer_lines(comparison), *note_lines(notes), *wrap(pointer)]
    return "\n".join(lines) + "\n"


def answer_lines(comparison: ComparisonAnswer, everything: bool = False) -> list[str]:
    """Return the lines of the comparison as shown without the option `--all`, except for notes.

    everything : whether the table has all scenarios, even if the lines do not fit on a screen
    """
    advice, title = comparison.advice, question(comparison)
    declared = declared_phrase(advice)
    room = width() - columns_of(title) - columns_of(declared)
    lines = [f"{title}{' ' * room}{declared}"] if room >= 2 else wrap_all([title, declared.capitalize()])
    sentences = wrap_all(advice_sentences(advice, comparison.each_crew, unpaid_crew(comparison)))
    most = MOST_LINES - len(lines) - len(sentences) - 1  # the pointer
    rows = _table(advice_table(comparison, None if everything else most - 2))
    if len(rows) > most and not everything:
        rows = _table(advice_table(comparison, most - 3))  # the legend has two lines
    blank = [""] if everything or len(lines) + len(sentences) + len(rows) + 2 <= MOST_LINES else []
    return [*lines, *sentences, *blank, *rows]


def _table(table: AdviceTable) -> list[str]:
    """Return the lines of the table: the header, the rows and the legend."""
    longest = max(len(cell.text) for _, _, cells in table.rows for cell in cells)
    wide = min(MOST_COLUMNS, len(table.agents)) * (longest + 4) <= width() - 2 * _LEAST_LABEL
    column = longest + (4 if wide else 3)
    room = max(_LEAST_LABEL, width() - column * min(MOST_COLUMNS, len(table.agents)))
    names = [f"{shorten_left(name, room - len(mark))}{mark}" for name, mark, _ in table.rows]
    crew = "agents" if table.crew == DEFAULT_CREW else shorten(table.crew, room)
    label = max(_LEAST_LABEL, columns_of(crew), *map(columns_of, names))
    most = max(1, (width() - label) // column)
    lines = []
    for first in range(0, len(table.agents), most):
        columns = slice(first, first + most)
        head = "".join(f"{count:>{column - 2},}  " for count in table.agents[columns])
        lines.append(f"{right(crew, label)}{head}".rstrip())
        for name, (_, _, cells) in zip(names, table.rows, strict=True):
            row = "".join(_advice_cell(cell, column) for cell in cells[columns])
            lines.append(f"{right(name, label)}{row}".rstrip())
    return [*lines, *wrap(table.legend)]


def _advice_cell(cell: AdviceCell, column: int) -> str:
    text = f"[{cell.text}]" if cell.declared else f"{cell.text} "
    return f"{text:>{column - 1}}{'*' if cell.recommended else ' '}"
