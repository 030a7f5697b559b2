"""A comparison as tables of speeds × agents that read in 80 columns and without colour."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Collection

from planner.errors import printable
from planner.planning.results import Comparison, Result, Scenario
from planner.report import words
from planner.report.barriers_text import barriers_text

SHADES = " ░▒▓█"
"""From the least to the greatest value of a table."""

_COLOURS = ((16, 195), (16, 153), (16, 75), (231, 26), (231, 18))
"""Text and background of each shade in 256 colours, legible on dark and on light: they repeat what the glyph says."""

_ALIKE = 0.05
"""Values that all lie within this share of the greatest are not told apart by shades."""

_CELL = 11
_LABEL, _LONGEST = 9, 34
_WIDTH = 80

Value = Callable[[Result], float]


def heat_map(comparison: Comparison) -> str:
    """Completion time, cost, speedup and efficiency of every scenario, then the verdict and the notes."""
    base = comparison.baseline
    served = f" on {printable(base.model)}" if base.model else ""
    of = "" if comparison.crew == "agents" else f" in '{comparison.crew}'"
    lines = [
        f"{printable(comparison.workflow)}: {words.samples(comparison.samples)}, seed {comparison.seed}",
        f"Rows: {_rows(comparison)}. Columns: agents{of}.",
        f"Baseline: {words.agents(base.agents)} at {words.factor(base.speed)}{served}.",
    ]
    lines = [part for line in lines for part in wrapped(line)]
    lines += _table("Completion time, p50", comparison, lambda result: result.seconds.p50, words.seconds, least=True)
    if any(result.usd for result in comparison.results):
        lines += _table(
            "Cost, p50", comparison, lambda result: result.usd.p50 if result.usd else math.nan, words.usd, least=True
        )
    lines += _table("Speedup over the baseline", comparison, lambda result: result.speedup, words.factor)
    lines += _table(
        "Efficiency: speedup over one agent at this speed, per agent",
        comparison,
        lambda result: result.efficiency,
        words.percent,
    )
    lines += _accepted(comparison)
    lines += [
        "",
        *wrapped(words.verdict(comparison)),
        *_barriers(comparison),
        *(line for note in comparison.notes for line in wrapped("Note: " + note)),
    ]
    return "\n".join(lines) + "\n"


def _rows(comparison: Comparison) -> str:
    models = {result.scenario.model for result in comparison.results}
    if len(models) > 1:
        return "model"
    (model,) = models
    return "output speed" if model == comparison.baseline.model else f"output speed of {printable(model)}"


def _accepted(comparison: Comparison) -> list[str]:
    """How often a result is accepted, if ever it is not: in a line where it is the same in every scenario."""
    chances = {result.accepted.chance for result in comparison.results}
    if chances == {1.0}:
        return []
    if len(chances) > 1:
        return _table("Accepted", comparison, lambda result: result.accepted.chance, words.share)
    return ["", f"Accepted: {words.share(min(chances))} of samples in every scenario."]


def _barriers(comparison: Comparison) -> list[str]:
    """What barriers cost in the best scenario."""
    if comparison.barriers is None:
        return []
    best = comparison.verdict.best
    name = words.row_name(comparison, best.model, best.speed)
    where = f"with {words.agents(best.agents)} {'at' if name[0].isdecimal() else 'on'} {name}"
    return [line for one in barriers_text(comparison.barriers, where) for line in wrapped(one)]


def _table(
    title: str, comparison: Comparison, value: Value, show: Callable[[float], str], least: bool = False
) -> list[str]:
    values = {result.scenario: value(result) for result in comparison.results}
    counts = list(dict.fromkeys(scenario.agents for scenario in values))
    names = {
        (scenario.model, scenario.speed): _fitted(words.row_name(comparison, scenario.model, scenario.speed))
        for scenario in values
    }
    label = max(_LABEL, *map(len, names.values()))
    best, worst = (min, max) if least else (max, min)
    known = [value for value in values.values() if not math.isnan(value)]
    differ = best(known) != worst(known)
    lines = ["", f"{title}  (* best; {SHADES[-1]} highest)" if differ else title]
    per_line = (_WIDTH - label) // _CELL
    for first in range(0, len(counts), per_line):
        shown = counts[first : first + per_line]
        lines.append(" " * label + "".join(f"{count:>{_CELL}}" for count in shown))
        for row, name in names.items():
            found = [values[Scenario(*row, count)] for count in shown]
            marked = [differ and one == best(known) for one in found]
            cells = [
                _cell("unknown", 0, False) if math.isnan(one) else _cell(show(one), _level(one, known), mark)
                for one, mark in zip(found, marked, strict=True)
            ]
            lines.append(f"{name:>{label}}" + "".join(cells))
    return lines


def _fitted(name: str) -> str:
    """A name that leaves room for the numbers."""
    name = printable(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _cell(text: str, level: int, best: bool) -> str:
    shaded = f"{SHADES[level]}{'*' if best else ' '}{text:>{_CELL - 3}}"
    text_colour, background = _COLOURS[level]
    return f" \x1b[38;5;{text_colour};48;5;{background}m{shaded}\x1b[0m"


def _level(value: float, values: Collection[float]) -> int:
    """Which shade: equal steps from the least to the greatest value, if they differ enough to matter."""
    least, most = min(values), max(values)
    if most - least <= _ALIKE * most:
        return 0
    return min(len(SHADES) - 1, int((value - least) / (most - least) * len(SHADES)))


def wrapped(text: str) -> list[str]:
    """Lines of at most 80 columns."""
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
