"""Terminal text of targets and tiers."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import columns_of, printable
from planner.planning.forecast_result import StepResult
from planner.planning.results import Scenario
from planner.planning.target.search import Obstacle, TargetResult
from planner.planning.target.solve import FASTEST, Requirement
from planner.planning.tier.search import TierResult, by_worth
from planner.report.text.columns import left, right, shorten, shorten_left
from planner.report.text.layout import note_lines, table, width, wrap, wrap_all
from planner.report.wording import quantities
from planner.report.wording.forecasts import drag_phrase
from planner.report.wording.screen_notes import additions, screen_notes
from planner.report.wording.targets import (
    AGENTS,
    SPEEDS,
    RequirementRow,
    candidate_mark,
    chances_title,
    otherwise_needed,
    percentile,
    requirement_row,
    target_answer,
    target_heading,
    target_question,
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
    tier_question,
)

_CELL, _LABEL, _LONGEST_LABEL, _STEP, _OTHERWISE = 9, 9, 30, 30, 42


def target_screen(result: TargetResult) -> str:
    """Return the answer of a search for a target as text, with a table of alternatives and at most two notes."""
    count = len(result.candidates)
    chances = f"the chance of each of {count:,} scenarios" if count > 1 else "the chance"
    notes = screen_notes(result.notes)
    lines = [
        *_target_answer(result),
        *_otherwise_needed(result),
        *note_lines(notes),
        *wrap(f"--all adds {additions([chances, 'the speeds and agents needed'], result.notes, notes)}."),
    ]
    return "\n".join(lines) + "\n"


def _target_answer(result: TargetResult) -> list[str]:
    """Return the question and the answer as lines."""
    return [*wrap(target_question(result)), *wrap_all(target_answer(result))]


def _otherwise_needed(result: TargetResult) -> list[str]:
    """Return the table of alternatives as lines, with a blank line before and after it; no lines if there are none."""
    rows = otherwise_needed(result)
    if not rows:
        return []
    cells = [f"{'needs':>8}", f"{percentile(result.target.percentile):>10}", f"{'cost':>10}"]
    return ["", *table([(f"{'Otherwise needed':<{_OTHERWISE}}", cells), *map(_otherwise, rows)]), ""]


def _otherwise(row: RequirementRow) -> tuple[str, list[str]]:
    last = f"  {row.last_cell}" if row.closest else f"{row.cost:>10}{' $' if row.over_budget else ''}"
    label = shorten(row.label, _OTHERWISE - 3)
    return f"  {left(label, _OTHERWISE - 2)}", [f"{row.needed:>8}", f"{row.percentile:>10}", last]


def target_text(result: TargetResult) -> str:
    """Return all of a `TargetResult` as text.

    After the answer, tables show the chance of each scenario, the needed speeds, and the needed numbers of agents.
    """
    lines = [*_target_answer(result), "", *wrap(target_heading(result)), "", *_chances(result)]
    if result.obstacle is not None:
        lines += ["", *_steps(result.obstacle)]
    lines += ["", *_requirements(result, SPEEDS, result.speeds)] if result.speeds else []
    lines += ["", *_requirements(result, AGENTS, result.agents)]
    lines += ["", *note_lines(result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _chances(result: TargetResult) -> Iterator[str]:
    """Yield the lines of a table of speeds × agents. Each cell shows the chance that a scenario meets the deadline."""
    candidates = {candidate.scenario: candidate for candidate in result.candidates}
    agents = list(dict.fromkeys(scenario.agents for scenario in candidates))
    rows = list(dict.fromkeys((scenario.model, scenario.speed, scenario.others) for scenario in candidates))
    names = [shorten(target_row_name(result, *row), min(_LONGEST_LABEL, width() - 2 * _CELL)) for row in rows]
    label = max(_LABEL, *map(columns_of, names))
    yield from wrap(chances_title(result))
    per_line = (width() - label) // _CELL
    for first in range(0, len(agents), per_line):
        columns = agents[first : first + per_line]
        yield " " * label + "".join(f"{count:>{_CELL},}" for count in columns)
        for name, (model, speed, others) in zip(names, rows, strict=True):
            cells = [candidates[Scenario(model, speed, count, others)] for count in columns]
            yield right(name, label) + "".join(
                f" {candidate_mark(candidate)} {quantities.share(candidate.chance.chance):>6}" for candidate in cells
            )


def _steps(obstacle: Obstacle) -> Iterator[str]:
    """Yield the lines of a table of the steps to shorten, so that a scenario may meet the target."""
    point = obstacle.closest.scenario
    yield f"What to shorten ({quantities.agents(point.agents)} at {quantities.factor(point.speed)}: mean time)"
    head = f"  {'step':<{_STEP}}", [f"{'kind':<10}", f"{'drag':>9}", f"{'on path':>9}", f"{'cost':>9}"]
    yield from table([head, *map(_obstacle_step, obstacle.steps)])


def _obstacle_step(step: StepResult) -> tuple[str, list[str]]:
    drag = drag_phrase(step.drag)
    cost = quantities.usd(step.usd) if step.usd else ""
    name = shorten(printable(step.step), _STEP)
    numbers = [drag, quantities.seconds(step.critical), cost]
    return f"  {left(name, _STEP)}", [f"{step.kind:<10}", *map("{:>9}".format, numbers)]


def _requirements(result: TargetResult, title: str, requirements: tuple[Requirement, ...]) -> Iterator[str]:
    yield title
    rows = [
        (
            f"  {'':<29}",
            [f"{'needs':>8}", f"{'95%':>16}", f"{percentile(result.target.percentile):>10}", f"{'cost':>10}"],
        )
    ]
    for requirement in requirements:
        row = requirement_row(result, requirement)
        last = f"  {row.last_cell}" if row.closest else f"{row.cost:>10}{' $' if row.over_budget else ''}"
        cells = [f"{row.needed:>8}", f"{row.interval:>16}", f"{row.percentile:>10}", last]
        rows.append((f"  {left(shorten(row.label, 28), 29)}", cells))
    yield from table(rows)
    quantity, most = ("speed", f" up to {quantities.factor(FASTEST)}") if title == SPEEDS else ("number of agents", "")
    if any(requirement.value is None and requirement.solved for requirement in requirements):
        closest = f"{percentile(result.target.percentile)} is the least that was found, and where"
        yield from wrap(f"none: no {quantity}{most} is enough; {closest}.")
    if any(each.low is not None and each.high is None and each.solved for each in requirements):
        yield f"to none: it is not sure that any {quantity} is enough."


_CHOICE = 20


def tier_screen(result: TierResult) -> str:
    """Return the answer of a choice of tiers as text, with at most two notes."""
    notes = screen_notes(result.notes)
    more = f"--all adds {additions(['intervals', 'each step by itself'], result.notes, notes)}."
    lines = [*_tier_answer(result), *note_lines(notes), *wrap(more)]
    return "\n".join(lines) + "\n"


def _tier_answer(result: TierResult) -> list[str]:
    return [*wrap(tier_question(result)), *wrap_all(tier_answer(result))]


def tier_text(result: TierResult) -> str:
    """Return all of a `TierResult` as text: the steps to put on a fast tier, and tables of the tried choices."""
    q = percentile(result.limits.percentile)
    lines = [*_tier_answer(result), "", *wrap_all(tier_heading(result)), ""]
    head = [f"{q:>10}", f"{'95%':>23}"]
    cost = f"cost {q}"
    lines += table([(f"{'':<{_CHOICE}}", [*head, f"{cost:>10}", ""]), *map(_choice, choice_cells(result))])
    lines += ["", ALONE]
    head = [f"{'p50':>10}", f"{'95%':>23}"]
    head += [f"{'cost':>10}", f"{'s per $':>9}", "  chosen"]
    steps = [_step(step_cells(choice, result.chosen)) for choice in by_worth(result)]
    lines += table([(f"{'':<{_CHOICE}}", head), *steps])
    lines += ["", *note_lines(result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _choice(cells: ChoiceCells) -> tuple[str, list[str]]:
    mark = f" {cells.mark}" if cells.mark else ""
    return f"{cells.name:<{_CHOICE}}", [f"{cells.time:>10}", f"{cells.interval:>23}", f"{cells.cost:>10}", mark]


def _step(cells: StepCells) -> tuple[str, list[str]]:
    name = shorten_left(cells.step, _CHOICE - 1)
    numbers = [f"{cells.seconds:>10}", f"{cells.interval:>23}", f"{cells.cost:>10}", f"{cells.rate:>9}"]
    return left(name, _CHOICE), [*numbers, f"  {cells.chosen}"]
