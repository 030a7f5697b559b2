"""Assignments of steps to a fast tier, simulated on the same draws, and the search for the best within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from planner.expansion.expand import expand
from planner.planning.tier.limits import Limits, cost
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
    """Return the paths of the steps that make requests to the workflow's model, in the order of the task graph.

    Only these steps can move to a fast tier.

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
        simulated = 0
        for first, part in self.until.parts(new, TOGETHER, TOGETHER_IF_TIMED):
            (sampled,) = sample([self._batch(part, self.samples)], Stopping(self.samples), self.backend)
            self.samples_of |= {chosen: ScenarioSamples(sampled, index) for index, chosen in enumerate(part)}
            simulated = first + len(part)
            progress(simulated / len(new))
        self.cut = self.cut or simulated < len(new)
        return [chosen for chosen in distinct if chosen in self.samples_of]

    def order(self, chosen: FastSteps, limits: Limits) -> tuple[tuple[float, float], int, list[str]]:
        """Return the sort key of an assignment: time and cost, then the number of steps on the fast tier."""
        return limits.order(self.samples_of[chosen]), len(chosen), sorted(chosen)

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


def all_of(steps: Sequence[str]) -> list[FastSteps]:
    """Return all subsets of `steps`, the smallest first."""
    return [frozenset(subset) for count in range(len(steps) + 1) for subset in combinations(steps, count)]


def every(assignments: Assignments, steps: Sequence[str], progress: Progress) -> list[FastSteps]:
    """Simulate all assignments of steps to the fast tier, and return them.

    steps : paths of the steps that can move to the fast tier
    """
    return assignments.take(all_of(steps), progress)


def selected(assignments: Assignments, steps: Sequence[str], limits: Limits, progress: Progress) -> list[FastSteps]:
    """Search for good assignments of steps to the fast tier. Return all simulated assignments.

    One search starts with no step on the fast tier. A second search starts with all steps on it.
    A search first moves single steps until the limits are met. Then it moves one or two steps at a time, as long as
    that improves the assignment.

    steps : paths of the steps that can move to the fast tier
    """
    for start in (frozenset[str](), frozenset(steps)):
        within = _into_limits(assignments, start, steps, limits, progress)
        _climb(assignments, within, steps, limits, progress)
    return list(assignments.samples_of)


def finalists(assignments: Assignments, some: Iterable[FastSteps], limits: Limits, most: int) -> list[FastSteps]:
    """Return the assignments that may turn out to be best when they are simulated with more samples.

    These are the best of those that are surely within the limits, by their 95% intervals. Before them come assignments
    that would be better, but that are within the limits only perhaps. Each of the two parts begins with its best one.

    some : simulated assignments to choose from
    most : largest number of assignments in each part
    """
    distinct = list(dict.fromkeys(some))
    sure = _ordered(assignments, distinct, limits)[:most]

    def order(chosen: FastSteps) -> tuple[tuple[float, float], int, list[str]]:
        return assignments.order(chosen, limits)

    perhaps = [chosen for chosen in distinct if limits.standing(assignments.samples_of[chosen]) == "limit"]
    better = [chosen for chosen in sorted(perhaps, key=order) if not sure or order(chosen) < order(sure[0])]
    return [*better[:most], *sure]


def _ordered(assignments: Assignments, some: Iterable[FastSteps], limits: Limits) -> list[FastSteps]:
    within = [chosen for chosen in dict.fromkeys(some) if limits.fits(assignments.samples_of[chosen])]
    return sorted(within, key=lambda chosen: assignments.order(chosen, limits))


def _into_limits(
    assignments: Assignments, current: FastSteps, steps: Sequence[str], limits: Limits, progress: Progress
) -> FastSteps:
    """Move steps, one by one, until the exceeded limit is met or no step is left. Return the result.

    If `current` is late, move steps to the fast tier until the deadline is met. Each time, move the step with the best
    `_gain`.
    Otherwise, move steps to the standard tier until the budget is met. Each time, move the step that loses the fewest
    seconds per dollar saved.

    current : the assignment to start from, which must have been simulated
    """
    late = limits.in_time(assignments.samples_of[current]) != "meets"
    exceeded = limits.in_time if late else limits.in_budget
    while exceeded(assignments.samples_of[current]) != "meets":
        rest = [step for step in steps if (step in current) != late]
        simulated = assignments.take([current ^ {step} for step in rest], progress)
        if not simulated:
            break
        current = max(simulated, key=_gain(assignments, current, limits))
    return current


def _climb(
    assignments: Assignments, current: FastSteps, steps: Sequence[str], limits: Limits, progress: Progress
) -> FastSteps:
    """Improve an assignment of steps to the fast tier, and return the result.

    A move puts a step on the fast tier or removes it. A move must stay within the limits.
    Without a deadline, a move must save time, and the move with the highest `_gain` is made.
    With a deadline, a move must save cost, and the move to the least cost is made.
    If no such move exists, two steps are moved together. If this does not help either, the search ends.

    current : the assignment to improve, which must have been simulated
    """
    while True:
        for size in (1, 2):
            moves = assignments.take([current ^ set(moved) for moved in combinations(steps, size)], progress)
            within = _ordered(assignments, moves, limits)
            better = [move for move in within if _improves(assignments, current, move, limits)]
            if better:
                gain = _gain(assignments, current, limits)
                current = max(better, key=gain) if limits.deadline is None else better[0]
                break
        else:
            return current


def _improves(assignments: Assignments, current: FastSteps, move: FastSteps, limits: Limits) -> bool:
    """Return whether the assignment `move` is better than `current`.

    With a deadline, it must be cheaper. Without a deadline, it must be quicker. Any assignment is better than one that
    is not surely within the limits.

    move : an assignment that is surely within the limits
    """
    before, after = assignments.samples_of[current], assignments.samples_of[move]
    return limits.order(after) < limits.order(before) or not limits.fits(before)


def _gain(assignments: Assignments, current: FastSteps, limits: Limits) -> Callable[[FastSteps], tuple[int, float]]:
    """Return a function that rates assignments compared with the assignment `current`.

    The rating is the seconds saved per dollar added. Assignments that add no cost and lose no time are rated highest.
    """
    before = assignments.samples_of[current]

    def gain(move: FastSteps) -> tuple[int, float]:
        after = assignments.samples_of[move]
        saved, more = limits.time(before) - limits.time(after), cost(after) - cost(before)
        if more > 0:
            return 0, saved / more
        if saved >= 0:
            return 2, saved
        return 1, saved / max(-more, 1e-12)  # a loss of time: the loss per dollar saved, as a negative number

    return gain
