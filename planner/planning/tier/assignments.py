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
    """Return the paths of the steps that make requests to the workflow's model, in the order of the graph.

    sizes : agents of each crew
    """
    works = (mark.subject for mark in expand(workflow, sizes).works)
    requests = [work for work in works if not work.coordination and work.model is not None]
    return tuple(dict.fromkeys(work.step for work in requests if work.model == workflow.model))


def tiered(workflow: Workflow, chosen: FastSteps, fast: str) -> Workflow:
    """Return the workflow with the model `fast` for the chosen steps."""
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
    """Simulates assignments on the same samples, and keeps the results.

    until : rule whose time limit ends the simulation of further assignments
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
        """Simulate the first assignments together.

        deciding : the precision of the first `deciding` assignments decides when all of them stop
        """
        (sampled,) = sample([self._batch(assignments, stopping.most, deciding)], stopping, self.backend, progress)
        self.samples_of |= {chosen: ScenarioSamples(sampled, index) for index, chosen in enumerate(assignments)}
        return sampled

    def take(self, assignments: Iterable[FastSteps], progress: Progress) -> list[FastSteps]:
        """Simulate further assignments on the samples of the first ones, until time is over.

        Return the given assignments that are simulated by then, including those that already were.
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
        """Return a sort key: the quickest is first; among equals the cheapest, then the one with the fewest steps."""
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

    Each batch must have a single point. The batches may only differ in the models of steps.
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
"""The percentile, as a share. It is minimised for the time, and kept within the budget for the cost."""


def fits(samples: ScenarioSamples, budget: float) -> bool:
    """Whether the p50 of the cost is within the budget by its whole 95% interval."""
    return samples.usd is not None and standing(samples.usd, Q, budget) == "meets"


def time(samples: ScenarioSamples) -> float:
    """Return the p50 of the completion time, in seconds."""
    return samples.seconds.quantile(Q)


def cost(samples: ScenarioSamples) -> float:
    """Return the mean cost in US dollars; 0 if it is unknown."""
    return samples.usd.mean if samples.usd is not None else 0.0


def all_of(steps: Sequence[str]) -> list[FastSteps]:
    """Return all assignments of these steps, those with the fewest steps on the fast tier first."""
    return [frozenset(subset) for count in range(len(steps) + 1) for subset in combinations(steps, count)]


def every(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> list[FastSteps]:
    """Simulate all assignments of these steps. Return those within the budget, in the order of `Assignments.order`."""
    return _ordered(assignments, assignments.take(all_of(steps), progress), budget)


def selected(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> list[FastSteps]:
    """Search for good assignments by forward and by backward selection.

    Return the results that are within the budget, in the order of `Assignments.order`.
    """
    ends = [_forward(assignments, steps, budget, progress), _backward(assignments, steps, budget, progress)]
    return _ordered(assignments, ends, budget)


def _ordered(assignments: Assignments, some: Iterable[FastSteps], budget: float) -> list[FastSteps]:
    within = [chosen for chosen in dict.fromkeys(some) if fits(assignments.samples_of[chosen], budget)]
    return sorted(within, key=assignments.order)


def _forward(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> FastSteps:
    """Start with no step on the fast tier. Make moves that save the most seconds per dollar, until none saves any."""
    return _climb(assignments, frozenset(), steps, budget, progress)


def _backward(assignments: Assignments, steps: Sequence[str], budget: float, progress: Progress) -> FastSteps:
    """Start with all steps on the fast tier. Remove steps until the cost is within the budget.

    The step to remove next is the one that loses the fewest seconds per dollar saved. Then continue as `_forward` does.
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
    """Move steps to or from the fast tier, as long as a move saves time or cost.

    Moves of one step are tried first, then moves of two steps. A move of two is needed for parallel steps, because only
    both together save time. The assignment `current` must have been simulated.
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
    """Whether a move from `current` saves time, or takes the same time and saves cost."""
    before, after = assignments.samples_of[current], assignments.samples_of[move]
    return (time(after), cost(after)) < (time(before), cost(before))


def _gain(assignments: Assignments, current: FastSteps) -> Callable[[FastSteps], tuple[int, float]]:
    """Return a function that rates moves from `current` by the seconds of p50 saved per dollar of mean cost added.

    Moves that add no cost and lose no time are rated highest.
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
