"""The cheapest scenario that meets a target, or the reason why none does, and the speeds and agents needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from planner.catalogue.premium import FITTED, Premium
from planner.engine.intervals import mean_difference
from planner.errors import InputError, Note, Problem
from planner.planning.crew_numbers import CrewNumbers
from planner.planning.decisions.verdict import ALIKE
from planner.planning.forecast import step_results
from planner.planning.forecast_result import StepResult
from planner.planning.grid import Grid
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
from planner.planning.target.solve import Requirement, Search, needed_agents, needed_speeds
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.sample import USUALLY, Precision, Progress, Stopping, quiet
from planner.workflow.declaration import Workflow

NAMED = 3
"""Most steps in `Obstacle.steps`."""


class Cost(NamedTuple):
    """Sort key of scenarios. The fields are compared in their order.

    usd : mean cost in US dollars
    price_multiplier : assumed factor on the declared prices, because of the speed
    agents : number of agents
    position : position of the scenario in the grid
    """

    usd: float
    price_multiplier: float
    agents: int
    position: int


@dataclass(frozen=True)
class Obstacle:
    """The reason why no scenario of a grid surely meets a target.

    closest : the quickest scenario within the budget; if there is none, the cheapest scenario
    steps : the steps of `closest` that save the most time if they are shortened, the best first
    within_reach : the cheapest scenario outside the grid that surely meets the target; None if none was found
    """

    closest: Candidate
    steps: tuple[StepResult, ...]
    within_reach: Candidate | None


@dataclass(frozen=True)
class TargetResult:
    """The cheapest scenario that meets a target, and all compared scenarios.

    crew : name of the crew whose number of agents varies
    candidates : the scenarios of the grid, in the order of the requested models, speeds and numbers of agents
    cheapest : the cheapest scenario of the grid that surely meets the target; None if there is none. If several
        scenarios cost about the same, the scenario with the fewest agents is taken.
    perhaps : a cheaper scenario of the grid that may meet the target; None if there is none
    speeds : the least speed needed, for each model and number of agents
    agents : the least number of agents needed, for each model and speed
    obstacle : the reason why `cheapest` is None; None if there is a cheapest scenario
    restricted : availability of each model that not everybody can buy: ``limited`` or ``retired``
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


def find_cheapest(workflow: Workflow, target: Target, speeds: Sequence[float],
             agents: Sequence[int] | Mapping[str, Sequence[int]], *,
             models: Sequence[str] = (), crew: str | None = None, premium: Premium = FITTED, seed: int = 1,
             samples: int | None = None, precision: float | None = None, max_time: float | None = None,
             backend: Backend | None = None, progress: Progress = quiet) -> TargetResult:  # fmt: skip
    """Find the cheapest scenario that meets a target.

    All arguments except `target` are those of `compare`. The scenarios of the grid decide the number of samples.
    Further scenarios use the same samples.

    Raises InputError as `compare` does. Also raises InputError if the target has a budget and a cost is unknown.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    numbers = CrewNumbers.of(workflow, agents, crew)
    agents = numbers.agents or ()
    sizing = Sizing.of(workflow, numbers.crew)
    sized = sizing.choose()
    names = list(dict.fromkeys(models)) or [workflow.model or ""]
    grid = Grid(workflow, sizing, premium, seed, backend)
    points = [Scenario(model, speed, count) for model in names
              for speed in dict.fromkeys(speeds) for count in dict.fromkeys(agents)]  # fmt: skip
    grid.take(points, stopping, progress)
    if target.budget is not None:
        _require_prices(grid, points)
    search = Search(grid, names, list(dict.fromkeys(speeds)), list(dict.fromkeys(agents)), target, stopping, progress)
    by_agents, by_speed = needed_speeds(search), needed_agents(search)
    candidates = tuple(Candidate.of(point, grid.found[point], target) for point in points)
    order = {point: index for index, point in enumerate(points)}

    def cost(candidate: Candidate) -> Cost:
        usd = 0.0 if candidate.usd is None else candidate.usd.mean
        position = order.get(candidate.scenario, len(order))
        return Cost(usd, candidate.price_multiplier, candidate.scenario.agents, position)

    def cheapest_of(meeting: Sequence[Candidate]) -> Candidate | None:
        least = min(meeting, key=cost, default=None)
        if least is None:
            return None
        return min(
            (each for each in meeting if each is least or _about_as_cheap(grid, each, least)),
            key=lambda each: (each.scenario.agents, each.price_multiplier, each.seconds.p90, cost(each)),
        )

    cheapest = cheapest_of([candidate for candidate in candidates if candidate.standing == "meets"])

    def is_cheaper(candidate: Candidate) -> bool:
        if cheapest is None:
            return True
        fewer = candidate.scenario.agents < cheapest.scenario.agents
        return cost(candidate) < cost(cheapest) and (fewer or not _about_as_cheap(grid, cheapest, candidate))

    near = [candidate for candidate in candidates if candidate.standing == "limit" and is_cheaper(candidate)]
    obstacle = None
    if cheapest is None:
        sure = [required.sure for required in (*by_agents, *by_speed) if required.sure is not None]
        closest = _closest(candidates, target, cost)
        steps = _to_shorten(grid, closest.scenario, progress)
        within_reach = cheapest_of([candidate for candidate in sure if candidate.standing == "meets"])
        obstacle = Obstacle(closest, steps, within_reach)
    reached = Precision.of(stopping.target, (grid.found[point].seconds for point in points))
    remarks = (
        *imprecise(reached, grid.samples),
        *restricted_notes(grid.models()),
        *(() if all(required.solved for required in (*by_agents, *by_speed)) else (Note("unsolved"),)),
        *declaration_notes(workflow, sizing.sizes(candidates[0].scenario.agents)),
        *other_tokenizers(workflow, grid.models()),
        *notes(
            grid.models(), grid.over_context(), [*speeds, *(required.value or 1.0 for required in by_agents)], premium
        ),
        *concurrency(grid.batches),
    )  # fmt: skip
    return TargetResult(
        workflow.workflow, seed, grid.samples, reached, sized, target, candidates, cheapest,
        min(near, key=cost, default=None), by_agents, by_speed, obstacle, restricted(grid.models()), remarks,
    )  # fmt: skip


def _about_as_cheap(grid: Grid, one: Candidate, least: Candidate) -> bool:
    """Return whether `one` costs about as much as `least`: at most 1% more, or not significantly more."""
    usd, other = grid.found[one.scenario].usd, grid.found[least.scenario].usd
    if usd is None or other is None or not other.mean:
        return (usd is None or not usd.mean) and one.price_multiplier == least.price_multiplier
    more = mean_difference(usd, other)
    return more.value <= ALIKE * other.mean or (more.low is not None and not more.above)


def _require_prices(grid: Grid, points: Sequence[Scenario]) -> None:
    unknown = list(dict.fromkeys(point.model for point in points if grid.found[point].usd is None))
    if unknown:
        without = [name for name, profile in grid.models().items() if profile.price is None]
        message = f"the cost is unknown, since {', '.join(without)} has no price"
        raise InputError([Problem("bad-profile", message, argument="budget", remedy=Note("price-or-no-budget"))])


def _closest(candidates: Sequence[Candidate], target: Target, cost: Callable[[Candidate], Cost]) -> Candidate:
    """Return the quickest scenario within the budget. If several are equally quick, return the cheapest of them.

    If no scenario is within the budget, return the cheapest scenario.
    """
    within = [candidate for candidate in candidates if candidate.in_budget != "misses"]
    if not within:
        return min(candidates, key=cost)
    return min(within, key=lambda candidate: (candidate.quantile(target), cost(candidate)))


def _to_shorten(grid: Grid, scenario: Scenario, progress: Progress) -> tuple[StepResult, ...]:
    detail = grid.in_detail(scenario, Stopping(min(grid.samples, USUALLY)), progress)
    order = sorted(step_results(detail), key=lambda step: (-step.drag.mean, -step.critical))
    return tuple(step for step in order if step.drag.mean > 0 or step.critical > 0)[:NAMED]
