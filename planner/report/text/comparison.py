"""A comparison as tables of speeds × agents that read in 80 columns and without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from planner.errors import printable
from planner.expansion.supersteps.subgraph_candidates import MOST_NODES
from planner.planning.barriers import WORTH, Barriers
from planner.planning.comparison_result import Comparison
from planner.report.text.decisions import decisions
from planner.report.text.tables import (
    SHADES,
    Cell,
    Table,
    accepted,
    heading,
    tables,
)
from planner.report.wording import quantities
from planner.report.wording.notes import worded
from planner.report.wording.phrases import agents_at

_COLOURS = ((16, 195), (16, 153), (16, 75), (231, 26), (231, 18))
"""Text and background of each shade in 256 colours, legible on dark and on light: they repeat what the glyph says."""

_CELL = 11
_LABEL, _LONGEST = 9, 34
_WIDTH = 80


def heat_map(comparison: Comparison) -> str:
    """Completion time, cost, speedup and efficiency of every scenario, then the verdict and the notes."""
    lines = [part for line in heading(comparison) for part in wrapped(line)]
    lines += [line for table in tables(comparison) for line in _lines(table)]
    always = accepted(comparison)
    lines += ["", always] if always else []
    lines += [
        "",
        *wrapped(quantities.verdict(comparison)),
        *(line for one in barriers_text(comparison) for line in wrapped(one)),
        *_decisions(comparison),
        *(line for note in worded(comparison.notes) for line in wrapped("Note: " + note)),
    ]
    return "\n".join(lines) + "\n"


def _decisions(comparison: Comparison) -> list[str]:
    """A section of its own, if there is anything to say."""
    found = decisions(comparison)
    return ["", "Decisions", *(part for line in found for part in wrapped(line)), ""] if found else []


def _lines(table: Table) -> list[str]:
    names = [_fitted(row.name) for row in table.rows]
    label = max(_LABEL, *map(len, names))
    lines = ["", f"{table.title}  {table.legend}".rstrip()]
    per_line = (_WIDTH - label) // _CELL
    for first in range(0, len(table.agents), per_line):
        shown = slice(first, first + per_line)
        lines.append(" " * label + "".join(f"{count:>{_CELL}}" for count in table.agents[shown]))
        for name, row in zip(names, table.rows, strict=True):
            lines.append(f"{name:>{label}}" + "".join(map(_cell, row.cells[shown])))
    return lines


def _fitted(name: str) -> str:
    """A name that leaves room for the numbers."""
    name = printable(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _cell(cell: Cell) -> str:
    shaded = f"{SHADES[cell.level]}{'*' if cell.best else ' '}{cell.text:>{_CELL - 3}}"
    text_colour, background = _COLOURS[cell.level]
    return f" \x1b[38;5;{text_colour};48;5;{background}m{shaded}\x1b[0m"


def wrapped(text: str) -> list[str]:
    """Lines of at most 80 columns; an error stays with its sign."""
    joined = text.replace("± ", "±\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(joined, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return [line.replace("±\N{NO-BREAK SPACE}", "± ") for line in lines]


MOST_NAMED = 5
"""Steps of a branch that are all named."""


def barriers_text(comparison: Comparison) -> list[str]:
    """On the best scenario of a comparison: a sentence on the cost, then one for each branch to wrap."""
    if comparison.barriers is None:
        return []
    return _sentences(comparison.barriers, f"with {agents_at(comparison, comparison.verdict.best)}")


def _sentences(found: Barriers, scenario: str) -> list[str]:
    of = f"{scenario} (p50 of {quantities.samples(found.samples)})"
    if found.cost <= WORTH * found.seconds:
        return [f"The barriers between supersteps cost less than {quantities.percent(WORTH)} {of}."]
    first = (
        f"The barriers between supersteps cost {quantities.seconds(found.cost)} "
        f"of {quantities.seconds(found.seconds)} {of}: "
        f"without them it takes {quantities.seconds(found.without)}."
    )
    if not found.tried:
        none = (
            f"Groups of over {MOST_NODES} steps are not searched for branches."
            if found.cut
            else "No subgraph can help."
        )
        return [f"{first} {none}"]
    if not found.wrappings:
        first = f"{first} No branch that was tried wins back over {quantities.percent(WORTH)} in a subgraph."
    lines, before = [first], found.seconds
    for number, one in enumerate(found.wrappings):
        where = f" of '{one.group}'" if one.group else ""
        also = "also " if number else ""
        each = " each" if len(one.steps) > 1 else ""
        lines.append(
            f"Wrap {also}{', and '.join(map(_named, one.steps))}{where} in a subgraph{each} ('steps:' of one step): "
            f"{quantities.seconds(one.seconds)}, {quantities.seconds(before - one.seconds)} less."
        )
        before = one.seconds
    if before < found.without:
        lines.append(f"That is less than without barriers: {_why(found)}.")
    if found.cut:
        lines.append(f"The {found.tried:,} branches that seem best were tried. There are more.")
    return lines


def _why(found: Barriers) -> str:
    """A subgraph wins more than the barriers cost."""
    if found.limit is not None:
        return "max_concurrency counts anew in each subgraph"
    return "in subgraphs agents are given out in another order"


def _named(steps: Sequence[str]) -> str:
    """`'a', 'b' and 'c'`; of many the first, the last, and their number."""
    names = [f"'{name}'" for name in steps]
    if len(names) > MOST_NAMED:
        return f"{names[0]}, {names[1]} … {names[-1]} ({len(names)} steps)"
    return f"{', '.join(names[:-1])} and {names[-1]}"
