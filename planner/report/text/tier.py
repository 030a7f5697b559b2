"""Text of a choice of tiers: the answer, its gain, and each fast step by itself."""

from __future__ import annotations

from planner.planning.tier.search import TierResult, by_worth
from planner.report.text.layout import note_lines, wrap_all
from planner.report.wording.tiers import (
    ALONE,
    ChoiceCells,
    StepCells,
    choice_cells,
    step_cells,
    tier_answer,
    tier_heading,
)

_LABEL = 20


def tier_text(result: TierResult) -> str:
    """The answer, then the choice compared with both ends, then each step by itself, then notes."""
    lines = [*wrap_all(tier_heading(result)), "", *wrap_all(tier_answer(result)), ""]
    lines += [f"{'':<{_LABEL}}{'p50':>10}{'95%':>23}{'cost p50':>10}"]
    lines += map(_choice, choice_cells(result))
    lines += ["", ALONE]
    lines += [f"{'':<{_LABEL}}{'p50':>10}{'95%':>23}{'cost':>10}{'s per $':>9}  chosen"]
    lines += [_step(step_cells(choice, result.chosen)) for choice in by_worth(result)]
    lines += ["", *note_lines(result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _choice(cells: ChoiceCells) -> str:
    over = "over" if cells.over_budget else ""
    return f"{cells.name:<{_LABEL}}{cells.p50:>10}{cells.interval:>23}{cells.cost:>10} {over}".rstrip()


def _step(cells: StepCells) -> str:
    name = cells.step if len(cells.step) < _LABEL else f"…{cells.step[2 - _LABEL :]}"
    numbers = f"{cells.seconds:>10}{cells.interval:>23}{cells.cost:>10}{cells.rate:>9}"
    return f"{name:<{_LABEL}}{numbers}  {cells.chosen}".rstrip()
