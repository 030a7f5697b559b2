"""The cheapest scenario that meets a target, or the reason why none does, and the speeds and agents needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.catalogue.premium import FITTED, Premium
from planner.errors import InputError, Note, Problem
from planner.planning.decisions.holders import Holder, drags
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
from planner.planning.target.cheapest import Candidates, Cost, neighbours
from planner.planning.target.combinations import AgentCounts, Crews
from planner.planning.target.goal import Candidate, Target, few_samples
from planner.planning.target.solve import Requirement, Search, needed_agents, needed_speeds
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.sample import USUALLY, Precision, Progress, Stopping, quiet
from planner.workflow.declaration import Workflow

NAMED = 3
"""Most steps in `Obstacle.steps`."""

MOST_STEPS = 24
"""Most steps from the cheapest scenario to a cheaper one with nearly the same agents."""


@dataclass(frozen=True)
class Obstacle:
    """The reason why no scenario surely meets a target: what delays the scenario that comes closest to it.

    closest : the scenario that comes closest to the target: the quickest one within the budget, or the cheapest one if
        none is within the budget
    steps : the steps whose shortening would save the most time in `closest`, the best first
    holders : the steps, crews, queues and limits with the largest drags in `closest`, the largest first
    """

    closest: Candidate
    steps: tuple[StepResult, ...]
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class TargetResult:
    """The cheapest scenario that meets a target, and all compared scenarios.

    crews : names of the crews whose numbers of agents vary. The first is the crew of `Scenario.agents`
    chosen : whether the planner chose the first crew; if not, the user named it, or there is only one crew
    crew_drag : share of the declared scenario's p50 that unlimited agents of the first crew would save; 0 if `chosen`
        is false
    declared : declared number of agents of each crew; empty if the workflow has no crews
    candidates : the scenarios of the grid, in the order of the requested models, speeds and numbers of agents
    cheapest : the cheapest scenario that surely meets the target, in the grid or between points of the grid; None if
        there is none. Scenarios that everybody can buy come first. If several cost about the same, it is the one with
        the fewest agents
    perhaps : a cheaper scenario than `cheapest` that meets the target perhaps: the 95% interval of its time or cost
        contains the limit. It is the cheapest one of those that are not harder to buy than `cheapest`, or that are
        easiest to buy if `cheapest` is None. None if there is none
    next_cheaper : a cheaper scenario than `cheapest` that misses the target. It is the quickest one of those that are
        not harder to buy than `cheapest`. None if there is none
    restricted_cheapest : a cheaper scenario than `cheapest` that surely meets the target but is harder to buy. It is
        the cheapest one. None if there is none
    speeds : for each model and combination of numbers of agents, the least speed that meets the deadline
    agents : for each model, speed and crew, the least number of agents that meets the deadline
    obstacle : the reason why `cheapest` is None; None if `cheapest` is a scenario
    restricted : availability of each model that not everybody can buy: ``limited`` or ``retired``
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    crews: tuple[str, ...]
    chosen: bool
    crew_drag: float
    declared: Mapping[str, int]
    target: Target
    candidates: tuple[Candidate, ...]
    cheapest: Candidate | None
    perhaps: Candidate | None
    next_cheaper: Candidate | None
    restricted_cheapest: Candidate | None
    speeds: tuple[Requirement, ...]
    agents: tuple[Requirement, ...]
    obstacle: Obstacle | None
    restricted: Mapping[str, str]
    notes: tuple[Note, ...]

    @property
    def crew(self) -> str:
        """Name of the first crew."""
        return self.crews[0]


def find_cheapest(workflow: Workflow, target: Target, speeds: Sequence[float], agents: AgentCounts = None, *,
             models: Sequence[str] = (), tiers: Sequence[str] = (), crew: str | None = None,
             premium: Premium = FITTED, seed: int = 1, samples: int | None = None, precision: float | None = None,
             max_time: float | None = None, backend: Backend | None = None,
             progress: Progress = quiet) -> TargetResult:  # fmt: skip
    """Find the cheapest scenario that meets a target.

    First, simulate the grid of the given models, speeds and numbers of agents. Then search outside the grid, with the
    same number of samples: for the least speed, for the least number of agents, and for a cheaper scenario near the
    cheapest one.

    agents : numbers of agents to try for one crew, or a mapping: name of crew → numbers. None: the default numbers of
        the only crew, or of the crew with the largest drag
    tiers : further models to try, only at the given speeds
    The other arguments are those of `compare`.

    Raises InputError as `compare` does. Also raises InputError if the target has a budget and a cost is unknown.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    solved_models = list(dict.fromkeys(models)) or [workflow.model or ""]
    names, speeds = list(dict.fromkeys([*solved_models, *tiers])), list(dict.fromkeys(speeds))
    crews = Crews.of(workflow, crew, agents, seed, stopping, progress)
    grid = Grid(workflow, crews.sizing, premium, seed, backend)
    combinations = crews.combinations(grid.widest(names))
    search = Search(grid, names, speeds, crews.names, combinations, target, stopping, progress)
    points = [search.scenario(model, speed, numbers) for model in names for speed in speeds for numbers in combinations]
    grid.take(points, stopping, progress)
    if target.budget is not None:
        _require_prices(grid, points)
    by_agents, by_speed = needed_speeds(replace(search, models=solved_models)), needed_agents(search)
    candidates = Candidates(grid, target)
    cheapest = _descend(search, candidates)
    obstacle = None if cheapest is not None else _obstacle(candidates, progress)
    perhaps, missed, restricted_cheapest = _alternatives(search, candidates, cheapest)
    reached = Precision.of(stopping.target, (grid.found[point].seconds for point in points))
    sizes = crews.sizing.sizes(points[0].agents, points[0].others)
    remarks = (
        *imprecise(reached, grid.samples),
        *few_samples(target.percentile, (grid.found[point].seconds for point in points)),
        *restricted_notes(grid.models()),
        *(() if all(required.solved for required in (*by_agents, *by_speed)) else (Note("unsolved"),)),
        *declaration_notes(workflow, sizes, grid.models()),
        *other_tokenizers(workflow, grid.models()),
        *notes(
            grid.models(), grid.over_context(), [*speeds, *(required.value or 1.0 for required in by_agents)], premium
        ),
        *concurrency(grid.batches),
    )  # fmt: skip
    return TargetResult(
        workflow.workflow, seed, grid.samples, reached, crews.names, crews.chosen, crews.drag,
        crews.sizing.declared, target, tuple(map(candidates.of, points)), cheapest, perhaps, missed,
        restricted_cheapest, by_agents, by_speed, obstacle, restricted(grid.models()), remarks,
    )  # fmt: skip


def _descend(search: Search, candidates: Candidates) -> Candidate | None:
    """Return the cheapest scenario that surely meets the target, in the grid or between points of the grid.

    Each round starts at the cheapest scenario so far, and tries similar numbers of agents, to find a cheaper one:

    - If its speed is one of the user's, the numbers are tried at this speed. First, each crew has one agent more or
      less. If more agents cost less, up to twice as many are tried too.
    - If its speed is another one, up to twice as many agents are tried, each with the least speed that is needed.

    The search stops after a round that finds nothing cheaper.
    """
    grid = search.grid
    done: set[Scenario] = set()
    for _ in range(MOST_STEPS):
        best = candidates.cheapest(candidates.all())
        if best is None or best.scenario in done or search.stopping.late:
            break
        point = best.scenario
        done.add(point)
        numbers = point.agents, *(count for _, count in point.others)
        requested = point.speed in search.speeds
        near = list(neighbours(numbers, search.widest, wide=not requested))
        if requested:
            scenarios = [search.scenario(point.model, point.speed, each) for each in near]
            grid.take(scenarios, Stopping(grid.samples), search.progress)
            more = [each for each in map(candidates.of, scenarios) if each.scenario.all_agents > point.all_agents]
            if any(_usd(each) < _usd(best) for each in more):  # one more may save under 1%, and twice as many a tenth
                wider = neighbours(numbers, search.widest, wide=True)
                scenarios = [search.scenario(point.model, point.speed, each) for each in wider]
                grid.take(scenarios, Stopping(grid.samples), search.progress)
        else:
            needed_speeds(replace(search, models=[point.model], combinations=near))
    return candidates.cheapest(candidates.all())


def _usd(candidate: Candidate) -> float:
    return Cost.of(candidate).usd


def _alternatives(
    search: Search, candidates: Candidates, cheapest: Candidate | None
) -> tuple[Candidate | None, Candidate | None, Candidate | None]:
    """Return three scenarios that are cheaper than `cheapest` but have a disadvantage. Each may be None.

    The first meets the target only perhaps. The second misses it. The third surely meets it, but is harder to buy.

    cheapest : the cheapest scenario that surely meets the target. If it is None, only the first scenario is returned
    """
    # The search between speeds always ends next to the limit: such scenarios say nothing new.
    tried = [candidate for candidate in candidates.all() if candidate.scenario.speed in search.speeds]
    if cheapest is None:
        first = min((candidate.rank for candidate in tried if candidate.standing == "limit"), default=0)
        near = [candidate for candidate in tried if candidate.standing == "limit" and candidate.rank == first]
        return min(near, key=Cost.of, default=None), None, None
    cheaper = [
        candidate
        for candidate in tried
        if candidate.rank <= cheapest.rank and candidates.is_cheaper(candidate, cheapest)
    ]
    near = [candidate for candidate in cheaper if candidate.standing == "limit"]
    missed = [candidate for candidate in cheaper if candidate.standing == "misses"]
    harder = candidates.cheapest(candidate for candidate in candidates.all() if candidate.rank > cheapest.rank)
    saves = harder is not None and Cost.of(harder) < Cost.of(cheapest) and candidates.is_cheaper(harder, cheapest)
    return (
        min(near, key=Cost.of, default=None),
        min(missed, key=lambda candidate: candidate.quantile(search.target), default=None),
        harder if saves else None,
    )


def _require_prices(grid: Grid, points: Sequence[Scenario]) -> None:
    unknown = list(dict.fromkeys(point.model for point in points if grid.found[point].usd is None))
    if unknown:
        without = [name for name, profile in grid.models().items() if profile.price is None]
        message = f"the cost is unknown, since {', '.join(without)} has no price"
        raise InputError([Problem("bad-profile", message, argument="budget", remedy=Note("price-or-no-budget"))])


def _obstacle(candidates: Candidates, progress: Progress) -> Obstacle:
    grid, closest = candidates.grid, candidates.closest()
    point = closest.scenario
    detail = grid.in_detail(point, Stopping(min(grid.samples, USUALLY)), progress)
    sizes = grid.sizing.sizes(point.agents, point.others)
    found = drags(grid.workflow.on(point.model), sizes, grid.seed, grid.samples, progress, point.speed)
    order = sorted(step_results(detail, found), key=lambda step: (-step.drag.seconds, -step.critical))
    steps = tuple(step for step in order if step.drag.seconds > 0 or step.critical > 0)[:NAMED]
    return Obstacle(closest, steps, found.largest())
