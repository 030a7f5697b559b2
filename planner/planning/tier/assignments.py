"""Assignments of steps to a fast tier, simulated on the same draws, and the search for the quickest within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from planner.expansion.expand import expand
from planner.planning.target.goal import standing
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.backends import Backend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.draws import DrawCache
from planner.sampling.sample import Progress, Stopping, sample
from planner.workflow.declaration import Step, Workflow

FastSteps = frozenset[str]
"""An assignment: the paths of the steps that are on the fast tier."""

TOGETHER = 32
"""Most assignments that are simulated together, so that they share their draws."""

TOGETHER_IF_TIMED = 8
"""The same as `TOGETHER`, if there is a time limit."""


def may_be_fast(workflow: Workflow, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Return the paths of the steps that can move to a fast tier, in the order of the task graph.

    These are the steps that make requests to the workflow's model.

    sizes : number of agents of each crew
    """
    works = (mark.subject for mark in expand(workflow, sizes).works)
    requests = [work for work in works if not work.coordination and work.model is not None]
    return tuple(dict.fromkeys(work.step for work in requests if work.model == workflow.model))


def tiered(workflow: Workflow, chosen: FastSteps, fast: str) -> Workflow:
    """Return a copy of the workflow in which the chosen steps use the model `fast`."""
    return workflow.model_copy(update={"steps": _tiered(workflow.steps, chosen, fast, ())})


def _tiered(steps: Mapping[str, Step], chosen: FastSteps, fast: str, path: tuple[str, ...]) -> dict[str, Step]:
    tiered_steps = {}
    for name, step in steps.items():
        step_path = (*path, name)
        if ".".join(step_path) in chosen:
            step = step.model_copy(update={"model": fast})
        elif step.used is not None:
            used = step.used
            step = step.using(used.model_copy(update={"steps": _tiered(used.steps, chosen, fast, step_path)}))
        elif step.steps is not None:
            step = step.model_copy(update={"steps": _tiered(step.steps, chosen, fast, step_path)})
        elif step.choose is not None:
            step = step.model_copy(update={"choose": _tiered(step.choose, chosen, fast, step_path)})
        tiered_steps[name] = step
    return tiered_steps


class Assignments:
    """Simulates assignments with the same random draws, and keeps the results.

    An assignment is a set of steps that are on the fast tier.

    until : time limit, after which no further assignments are simulated
    samples_of : samples of each simulated assignment
    cut : whether assignments were left out because of the time limit
    draw_cache : draws that all assignments share
    """

    def __init__(
        self, workflow: Workflow, fast: str, sizes: Mapping[str, int], seed: int, backend: Backend, until: Stopping,
        draw_cache: DrawCache | None = None,
    ) -> None:  # fmt: skip
        self.workflow, self.fast, self.seed, self.backend, self.until = workflow, fast, seed, backend, until
        self.samples_of: dict[FastSteps, ScenarioSamples] = {}
        self.cut = False
        self._cells = [GridPoint(1.0, sizes, requested=asked) for asked in (False, True)]
        self.draw_cache = draw_cache or DrawCache()

    @property
    def samples(self) -> int:
        """Number of samples of each assignment."""
        return next(iter(self.samples_of.values())).seconds.count

    def first(
        self, assignments: Sequence[FastSteps], deciding: int, stopping: Stopping, progress: Progress
    ) -> Accumulator:
        """Simulate the first assignments together, and keep their samples.

        deciding : number of assignments that decide when to stop; these are the first in `assignments`
        """
        (sampled,) = sample([self._batch(assignments, stopping.most, deciding)], stopping, self.backend, progress)
        self.samples_of |= {chosen: ScenarioSamples(sampled, index) for index, chosen in enumerate(assignments)}
        return sampled

    def take(self, assignments: Iterable[FastSteps], progress: Progress) -> list[FastSteps]:
        """Simulate all given assignments that have not been simulated yet, until time is over.

        Return the given assignments that have been simulated. All assignments have the same number of samples.
        """
        distinct = list(dict.fromkeys(assignments))
        new = [chosen for chosen in distinct if chosen not in self.samples_of]
        size = TOGETHER_IF_TIMED if self.until.seconds is not None else TOGETHER
        for first in range(0, len(new), size):
            if self.until.late:
                self.cut = True
                break
            part = new[first : first + size]
            (sampled,) = sample([self._batch(part, self.samples)], Stopping(self.samples), self.backend)
            self.samples_of |= {chosen: ScenarioSamples(sampled, index) for index, chosen in enumerate(part)}
            progress((first + len(part)) / len(new))
        return [chosen for chosen in distinct if chosen in self.samples_of]

    def order(self, chosen: FastSteps) -> tuple[float, float, int, list[str]]:
        """Return the sort key of an assignment: time, then cost, then the number of steps on the fast tier."""
        samples = self.samples_of[chosen]
        return time(samples), cost(samples), len(chosen), sorted(chosen)

    def _batch(self, part: Sequence[FastSteps], samples: int, deciding: int = 0) -> Batch:
        return joined(
            [
                Batch.of(tiered(self.workflow, chosen, self.fast), [self._cells[index < deciding]], self.seed, samples,
                        self.backend.at_once, draw_cache=self.draw_cache)
                for index, chosen in enumerate(part)
            ]
        )  # fmt: skip


def joined(batches: Sequence[Batch]) -> Batch:
    """Join batches into one batch, so that they share their draws.

    Each batch must have a single point. The batches must be equal except for the models of their steps.
    """
    first = batches[0]
    variants = []
    for index, batch in enumerate(batches):
        variants += [replace(variant, points=[index + cell for cell in variant.points]) for variant in batch.groups]
    return replace(
        first,
        points=tuple(cell for batch in batches for cell in batch.points),
        groups=tuple(variants),
        graphs=tuple(graph for batch in batches for graph in batch.graphs),
        waits=tuple(wait for batch in batches for wait in batch.waits),
        models={name: profile for batch in batches for name, profile in batch.models.items()},
        width=max(1, min(batch.width for batch in batches)),
        watched=len(variants),
    )


EXHAUSTIVE = 12
"""With up to this number of steps, all assignments are simulated."""

Q = 0.5
"""The percentile, as a share. The search minimises it for the time, and keeps it within the budget for the cost."""


def fits(samples: ScenarioSamples, budget: float) -> bool:
    """Return whether the p50 of the cost is surely within the budget, by its 95% interval."""
    return samples.usd is not None and standing(samples.usd, Q, budget) == "meets"


def time(samples: ScenarioSamples) -> float:
    """Return the p50 of the completion time, in seconds."""
    return samples.seconds.quantile(Q)


def cost(samples: ScenarioSamples) -> float:
    """Return the mean cost in US dollars. Return 0 if the cost is unknown."""
    return samples.usd.mean if samples.usd is not None else 0.0


def all_of(steps: Sequence[str]) -> list[FastSteps]:
    """Return all subsets of `steps`, the smallest first."""
    return [frozenset(subset) for count in range(len(steps) + 1) for subset in combinations(steps, count)]


def every(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> list[FastSteps]:
    """Simulate all assignments of steps to the fast tier. Return those within the budget, the quickest first.

    steps : paths of the steps that can move to the fast tier
    """
    return _ordered(assignments, assignments.take(all_of(steps), progress), budget)


def selected(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> list[FastSteps]:
    """Search for good assignments of steps to the fast tier. Return those within the budget, the quickest first.

    One search starts with no step on the fast tier. A second search starts with all steps on the fast tier.

    steps : paths of the steps that can move to the fast tier
    """
    ends = [_forward(assignments, steps, budget, progress), _backward(assignments, steps, budget, progress)]
    return _ordered(assignments, ends, budget)


def _ordered(assignments: Assignments, some: Iterable[FastSteps], budget: float) -> list[FastSteps]:
    within = [chosen for chosen in dict.fromkeys(some) if fits(assignments.samples_of[chosen], budget)]
    return sorted(within, key=assignments.order)


def _forward(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> FastSteps:
    """Search for a good assignment, starting with no step on the fast tier."""
    return _climb(assignments, frozenset(), steps, budget, progress)


def _backward(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> FastSteps:
    """Search for a good assignment, starting with all steps on the fast tier.

    First, steps are removed from the fast tier until the cost is within the budget. Each time, the removed step is the
    one that loses the fewest seconds per dollar saved. Then the assignment is improved as in `_climb`.
    """
    current = frozenset(steps)
    while current and not fits(assignments.samples_of[current], budget):
        fewer = assignments.take([current - {step} for step in steps if step in current], progress)
        if not fewer:
            return current
        current = max(fewer, key=_gain(assignments, current))
    return _climb(assignments, current, steps, budget, progress)


def _climb(
    assignments: Assignments, current: FastSteps, steps: Sequence[str], budget: float, progress: Progress
) -> FastSteps:
    """Improve an assignment of steps to the fast tier, and return the result.

    Single steps are moved to or from the fast tier while this saves time or cost. If no single move helps, two steps
    are moved together. Among all moves that help and are within the budget, the move with the highest `_gain` is made.

    current : the assignment to improve, which must have been simulated
    """
    while True:
        for size in (1, 2):
            moves = assignments.take([current ^ set(moved) for moved in combinations(steps, size)], progress)
            better = [move for move in _ordered(assignments, moves, budget) if _saves(assignments, current, move)]
            if better:
                current = max(better, key=_gain(assignments, current))
                break
        else:
            return current


def _saves(assignments: Assignments, current: FastSteps, move: FastSteps) -> bool:
    """Return whether the assignment `move` is quicker than `current`, or equally quick and cheaper."""
    before, after = assignments.samples_of[current], assignments.samples_of[move]
    return (time(after), cost(after)) < (time(before), cost(before))


def _gain(assignments: Assignments, current: FastSteps) -> Callable[[FastSteps], tuple[int, float]]:
    """Return a function that rates assignments compared with the assignment `current`.

    The rating is the p50 seconds saved per dollar added. Assignments that add no cost and lose no time are rated
    highest.
    """
    before = assignments.samples_of[current]

    def gain(move: FastSteps) -> tuple[int, float]:
        after = assignments.samples_of[move]
        saved, more = time(before) - time(after), cost(after) - cost(before)
        if more > 0:
            return 0, saved / more
        if saved >= 0:
            return 2, saved
        return 1, saved / max(-more, 1e-12)  # a loss of time: the loss per dollar saved, as a negative number

    return gain
