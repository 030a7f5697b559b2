"""The cheapest scenario that meets a target, what would be needed for it, or why none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.catalogue.premium import FITTED, Premium
from planner.errors import InputError, Note, Problem
from planner.planning.decisions.interval import mean_difference
from planner.planning.decisions.verdict import ALIKE
from planner.planning.forecast import step_results
from planner.planning.forecast_result import StepResult
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    restricted,
    restricted_notes,
)
from planner.planning.notes.concurrency import concurrency
from planner.planning.results import Scenario
from planner.planning.sizing import Sizing
from planner.planning.target.goal import Candidate, Target
from planner.planning.target.grid import Grid
from planner.planning.target.solve import Requirement, needed_agents, needed_speeds
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.sample import USUALLY, Precision, Progress, Stopping, quiet
from planner.workflow.declaration import Workflow

NAMED = 3
"""Steps that are named as worth shortening."""


@dataclass(frozen=True)
class Obstacle:
    """Why no scenario is known to meet a target.

    closest : of those within the budget, if any, the quickest; else the cheapest
    steps : of `closest`, those with the largest drag, or the most time on the critical path where none has any
    within_reach : the cheapest of what was solved for that is known to meet the target, though none of the grid is
    """

    closest: Candidate
    steps: tuple[StepResult, ...]
    within_reach: Candidate | None


@dataclass(frozen=True)
class TargetResult:
    """Scenarios against a target.

    candidates : models and speeds outermost, as they were asked for
    cheapest : of those that are known to meet the target, if any is, the one with the least mean cost; of those
        about as cheap, the one with the fewest agents, then with the least p90
    perhaps : one that costs less, or takes fewer agents for no more, and is about at the limit
    speeds : needed by each number of agents, of each model
    agents : needed at each speed, of each model
    obstacle : why there is no `cheapest`
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    crew: str
    target: Target
    candidates: tuple[Candidate, ...]
    cheapest: Candidate | None
    perhaps: Candidate | None
    speeds: tuple[Requirement, ...]
    agents: tuple[Requirement, ...]
    obstacle: Obstacle | None
    restricted: Mapping[str, str]
    notes: tuple[Note, ...]


def find_cheapest(workflow: Workflow, target: Target, speeds: Sequence[float], agents: Sequence[int], *,
             models: Sequence[str] = (), crew: str | None = None, premium: Premium = FITTED, seed: int = 1,
             samples: int | None = None, precision: float | None = None, max_time: float | None = None,
             backend: Backend | None = None, progress: Progress = quiet) -> TargetResult:  # fmt: skip
    """Look for the cheapest scenario that meets a target.

    All arguments but `target` are those of `compare`. All scenarios, those that are solved for too, share their draws
    and the number of samples that the grid took.

    Raises InputError as `compare`, and where there is a budget and the cost is not known.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    sizing = Sizing.of(workflow, crew)
    sized = sizing.choose()
    wanted = list(dict.fromkeys(models)) or [workflow.model or ""]
    grid = Grid(workflow, sizing, premium, seed, backend)
    points = [Scenario(model, speed, count) for model in wanted
              for speed in dict.fromkeys(speeds) for count in dict.fromkeys(agents)]  # fmt: skip
    grid.take(points, stopping, progress)
    if target.budget is not None:
        _priced(grid, points)
    asked = (grid, wanted, list(dict.fromkeys(speeds)), list(dict.fromkeys(agents)), target, stopping, progress)
    by_agents, by_speed = needed_speeds(*asked), needed_agents(*asked)
    candidates = tuple(Candidate.of(point, grid.found[point], target) for point in points)
    order = {point: at for at, point in enumerate(points)}

    def cost(one: Candidate) -> tuple[float, float, int, int]:
        usd = 0.0 if one.usd is None else one.usd.mean
        return usd, one.price_multiplier, one.scenario.agents, order.get(one.scenario, len(order))

    def chosen(meeting: Sequence[Candidate]) -> Candidate | None:
        least = min(meeting, key=cost, default=None)
        if least is None:
            return None
        return min(
            (one for one in meeting if one is least or _about_as_cheap(grid, one, least)),
            key=lambda one: (one.scenario.agents, one.price_multiplier, one.seconds.p90, cost(one)),
        )

    cheapest = chosen([one for one in candidates if one.standing == "meets"])

    def less(one: Candidate) -> bool:
        if cheapest is None:
            return True
        fewer = one.scenario.agents < cheapest.scenario.agents
        return cost(one) < cost(cheapest) and (fewer or not _about_as_cheap(grid, cheapest, one))

    near = [one for one in candidates if one.standing == "limit" and less(one)]
    obstacle = None
    if cheapest is None:
        sure = [needed.sure for needed in (*by_agents, *by_speed) if needed.sure is not None]
        closest = _closest(candidates, target, cost)
        steps = _to_shorten(grid, closest.scenario, progress)
        obstacle = Obstacle(closest, steps, chosen([one for one in sure if one.standing == "meets"]))
    known = Precision.of(stopping.target, (grid.found[point].seconds for point in points))
    remarks = (
        *imprecise(known, grid.samples),
        *restricted_notes(grid.models),
        *(() if all(one.solved for one in (*by_agents, *by_speed)) else (Note("unsolved"),)),
        *declaration_notes(workflow), *other_tokenizers(workflow, grid.models),
        *notes(grid.models, grid.over_context, [*speeds, *(needed.value or 1.0 for needed in by_agents)], premium),
        *concurrency(dict.fromkeys(one.sampled.plan for one in grid.found.values())),
    )  # fmt: skip
    return TargetResult(
        workflow.workflow, seed, grid.samples, known, sized, target, candidates, cheapest,
        min(near, key=cost, default=None), by_agents, by_speed, obstacle, restricted(grid.models), remarks,
    )  # fmt: skip


def _about_as_cheap(grid: Grid, one: Candidate, least: Candidate) -> bool:
    """Whether it is not known to cost more than the least, in the same projects, or not by 1 %."""
    usd, other = grid.found[one.scenario].usd, grid.found[least.scenario].usd
    if usd is None or other is None or not other.mean:
        return (usd is None or not usd.mean) and one.price_multiplier == least.price_multiplier
    more = mean_difference(usd, other)
    return more.value <= ALIKE * other.mean or (more.low is not None and not more.above)


def _priced(grid: Grid, points: Sequence[Scenario]) -> None:
    unknown = list(dict.fromkeys(point.model for point in points if grid.found[point].usd is None))
    if unknown:
        without = [name for name, profile in grid.models.items() if profile.price is None]
        message = f"the cost is unknown, since {', '.join(without)} has no price"
        raise InputError([Problem("bad-profile", message, argument="budget", remedy=Note("price-or-no-budget"))])


def _closest(candidates: Sequence[Candidate], target: Target, cost: object) -> Candidate:
    """Of those within the budget the quickest, of equals the cheapest; the cheapest if none is."""
    assert callable(cost)
    within = [one for one in candidates if one.in_budget != "misses"]
    if not within:
        return min(candidates, key=cost)
    return min(within, key=lambda one: (one.quantile(target), cost(one)))


def _to_shorten(grid: Grid, scenario: Scenario, progress: Progress) -> tuple[StepResult, ...]:
    found = grid.in_detail(scenario, Stopping(min(grid.samples, USUALLY)), progress)
    order = sorted(step_results(found), key=lambda step: (-step.drag.mean, -step.critical))
    return tuple(step for step in order if step.drag.mean > 0 or step.critical > 0)[:NAMED]
