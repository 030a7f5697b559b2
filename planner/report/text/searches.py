"""Terminal text of targets, tiers and sensitivities."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import printable
from planner.planning.forecast_result import StepResult
from planner.planning.results import Scenario
from planner.planning.sensitivity.tornado import Influence, Sensitivity
from planner.planning.target.search import Obstacle, TargetResult
from planner.planning.target.solve import FASTEST, Requirement
from planner.planning.tier.search import TierResult, by_worth
from planner.report.text.layout import WIDTH, note_lines, shorten, wrap, wrap_all
from planner.report.wording import quantities
from planner.report.wording.sensitivities import driver_name, sensitivity_answer, sensitivity_heading, swing
from planner.report.wording.targets import (
    AGENTS,
    SPEEDS,
    candidate_mark,
    chances_title,
    percentile,
    requirement_row,
    target_answer,
    target_heading,
    target_row_name,
)
from planner.report.wording.tiers import (
    ALONE,
    ChoiceCells,
    StepCells,
    choice_cells,
    step_cells,
    tier_answer,
    tier_heading,
)

_CELL, _LABEL, _LONGEST_LABEL, _STEP = 9, 9, 30, 30


def target_text(result: TargetResult) -> str:
    """Return a search for a target as text: answer, chances, needed speeds, needed numbers of agents, notes."""
    lines = [*wrap_all(target_heading(result)), "", *wrap_all(target_answer(result)), "", *_chances(result)]
    if result.obstacle is not None:
        lines += ["", *_steps(result.obstacle)]
    lines += ["", *_requirements(result, SPEEDS, result.speeds)]
    lines += ["", *_requirements(result, AGENTS, result.agents)]
    lines += ["", *note_lines(result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _chances(result: TargetResult) -> Iterator[str]:
    """Yield the lines of a table of speeds × agents: the chance of each scenario to meet the deadline."""
    candidates = {candidate.scenario: candidate for candidate in result.candidates}
    agents = list(dict.fromkeys(scenario.agents for scenario in candidates))
    rows = list(dict.fromkeys((scenario.model, scenario.speed) for scenario in candidates))
    names = [shorten(target_row_name(result, *row), _LONGEST_LABEL) for row in rows]
    label = max(_LABEL, *map(len, names))
    yield from wrap(chances_title(result))
    per_line = (WIDTH - label) // _CELL
    for first in range(0, len(agents), per_line):
        columns = agents[first : first + per_line]
        yield " " * label + "".join(f"{count:>{_CELL},}" for count in columns)
        for name, row in zip(names, rows, strict=True):
            cells = [candidates[Scenario(*row, count)] for count in columns]
            yield f"{name:>{label}}" + "".join(
                f" {candidate_mark(candidate)} {quantities.share(candidate.chance.chance):>6}" for candidate in cells
            )


def _steps(obstacle: Obstacle) -> Iterator[str]:
    """Yield the lines of the table of steps to shorten. If these steps take less time, the target may be met."""
    point = obstacle.closest.scenario
    yield f"What to shorten ({quantities.agents(point.agents)} at {quantities.factor(point.speed)}: mean time)"
    yield f"  {'step':<{_STEP}}{'kind':<10}{'drag':>9}{'on path':>9}{'cost':>9}"
    yield from map(_obstacle_step, obstacle.steps)


def _obstacle_step(step: StepResult) -> str:
    drag = quantities.seconds(step.drag.mean) if step.drag.mean >= 0 else f"-{quantities.seconds(-step.drag.mean)}"
    cost = quantities.usd(step.usd) if step.usd else ""
    name = shorten(printable(step.step), _STEP)
    return f"  {name:<{_STEP}}{step.kind:<10}{drag:>9}{quantities.seconds(step.critical):>9}{cost:>9}".rstrip()


def _requirements(result: TargetResult, title: str, requirements: tuple[Requirement, ...]) -> Iterator[str]:
    yield title
    yield f"  {'':<29}{'needs':>8}{'95%':>16}{percentile(result.target):>10}{'cost':>10}"
    for requirement in requirements:
        row = requirement_row(result, requirement)
        last = f"  {row.last_cell}" if row.closest else f"{row.cost:>10}{' $' if row.over_budget else ''}"
        start = f"  {shorten(row.label, 28):<29}{row.needed:>8}{row.interval:>16}{row.percentile:>10}"
        yield f"{start}{last}".rstrip()
    quantity, most = ("speed", f" up to {quantities.factor(FASTEST)}") if title == SPEEDS else ("number of agents", "")
    if any(requirement.value is None and requirement.solved for requirement in requirements):
        closest = f"{percentile(result.target)} is the least that was found, and where"
        yield from wrap(f"none: no {quantity}{most} is enough; {closest}.")
    if any(each.low is not None and each.high is None and each.solved for each in requirements):
        yield f"to none: it is not sure that any {quantity} is enough."


_CHOICE = 20


def tier_text(result: TierResult) -> str:
    """Return a choice of tiers as text: the answer, the choices, the gain of each single fast step, and notes."""
    lines = [*wrap_all(tier_heading(result)), "", *wrap_all(tier_answer(result)), ""]
    lines += [f"{'':<{_CHOICE}}{'p50':>10}{'95%':>23}{'cost p50':>10}"]
    lines += map(_choice, choice_cells(result))
    lines += ["", ALONE]
    lines += [f"{'':<{_CHOICE}}{'p50':>10}{'95%':>23}{'cost':>10}{'s per $':>9}  chosen"]
    lines += [_step(step_cells(choice, result.chosen)) for choice in by_worth(result)]
    lines += ["", *note_lines(result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _choice(cells: ChoiceCells) -> str:
    over = "over" if cells.over_budget else ""
    return f"{cells.name:<{_CHOICE}}{cells.p50:>10}{cells.interval:>23}{cells.cost:>10} {over}".rstrip()


def _step(cells: StepCells) -> str:
    name = cells.step if len(cells.step) < _CHOICE else f"…{cells.step[2 - _CHOICE :]}"
    numbers = f"{cells.seconds:>10}{cells.interval:>23}{cells.cost:>10}{cells.rate:>9}"
    return f"{name:<{_CHOICE}}{numbers}  {cells.chosen}".rstrip()


_MOST_DRIVERS = 15
_NAME, _BAR = 32, 24


def sensitivity_text(sensitivity: Sensitivity) -> str:
    """Return a sensitivity as text: the estimate to measure first, a tornado chart, and notes."""
    lines = [
        *wrap_all(sensitivity_heading(sensitivity)),
        "",
        *wrap_all(sensitivity_answer(sensitivity)),
        "",
        *_tornado(sensitivity),
    ]
    lines += ["", *note_lines(sensitivity.notes)] if sensitivity.notes else []
    return "\n".join(lines) + "\n"


def _tornado(sensitivity: Sensitivity) -> Iterator[str]:
    """Yield the lines of the tornado chart. Each significant driver has a bar, and the largest bar comes first."""
    influences = [influence for influence in sensitivity.drivers if influence.told][:_MOST_DRIVERS]
    if not influences:
        return
    least = min(min(influence.p90_low, influence.p90_high) for influence in influences)
    most = max(max(influence.p90_low, influence.p90_high) for influence in influences)
    yield "p90 in the lowest fifth of each (░) and in its highest (█); share of variance"
    yield f"{'':<{_NAME}}{quantities.seconds(least):<{_BAR - 9}}{quantities.seconds(most):>9}{'swing':>11}{'share':>7}"
    for influence in influences:
        yield _line(influence, least, most, sensitivity.seconds.p90)
    others = len(sensitivity.drivers) - len(influences)
    error = max(influence.swing_error for influence in influences)
    yield f"Swings are known to ± {quantities.seconds(error)} or better (95%)."
    if others:
        yield from wrap(f"{others} more cannot be told from nothing, or are less than these.")


def _line(influence: Influence, least: float, most: float, p90: float) -> str:
    """Return the line of a driver in the tornado chart.

    least : seconds at the left end of the chart
    most : seconds at the right end of the chart
    p90 : p90 of the completion time, in seconds. The line has a mark at this value
    """
    scale = (_BAR - 1) / (most - least) if most > least else 0.0

    def column(value: float) -> int:
        return round((min(max(value, least), most) - least) * scale)

    low, high, centre = column(influence.p90_low), column(influence.p90_high), column(p90)
    glyphs = [" "] * _BAR
    for position in _between(low, centre):
        glyphs[position] = "░"
    for position in _between(centre, high):
        glyphs[position] = "█"
    glyphs[centre] = "│"
    name = driver_name(influence.driver)
    name = name if len(name) < _NAME else f"{name[: _NAME - 2]}…"
    return f"{name:<{_NAME}}{''.join(glyphs)}{swing(influence):>11}{quantities.percent(influence.share):>7}"


def _between(column: int, other: int) -> range:
    """Return the columns from the lower to the higher of `column` and `other`, both included."""
    return range(min(column, other), max(column, other) + 1)
