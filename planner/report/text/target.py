"""Text of a target: the answer, the chance of every scenario, and the speeds and agents that would be needed."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import printable
from planner.planning.forecast_result import StepResult
from planner.planning.results import Scenario
from planner.planning.target.search import Obstacle, TargetResult
from planner.planning.target.solve import FASTEST, Requirement
from planner.report.text.layout import WIDTH, note_lines, shorten, wrap, wrap_all
from planner.report.wording import quantities
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

_CELL, _LABEL, _LONGEST_LABEL, _STEP = 9, 9, 30, 30


def target_text(result: TargetResult) -> str:
    """The answer, then the chance of every scenario, then the speeds and agents needed, then notes."""
    lines = [*wrap_all(target_heading(result)), "", *wrap_all(target_answer(result)), "", *_chances(result)]
    if result.obstacle is not None:
        lines += ["", *_steps(result.obstacle)]
    lines += ["", *_requirements(result, SPEEDS, result.speeds)]
    lines += ["", *_requirements(result, AGENTS, result.agents)]
    lines += ["", *note_lines(result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _chances(result: TargetResult) -> Iterator[str]:
    """The table of speeds × agents."""
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
    """The table of steps to shorten."""
    point = obstacle.closest.scenario
    yield f"What to shorten ({quantities.agents(point.agents)} at {quantities.factor(point.speed)}: mean time)"
    yield f"  {'step':<{_STEP}}{'kind':<10}{'drag':>9}{'on path':>9}{'cost':>9}"
    yield from map(_step, obstacle.steps)


def _step(step: StepResult) -> str:
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
