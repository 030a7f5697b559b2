"""A workflow with some of its steps on a fast tier, and what many such choices take, all on the same draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from planner.expansion.expand import expand
from planner.planning.target.goal import standing
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.backends import Backend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.draw_cache import DrawCache
from planner.sampling.sample import Progress, Stopping, sample
from planner.workflow.declaration import Step, Workflow

Chosen = frozenset[str]
"""Paths of the steps on the fast tier."""

TOGETHER = 32
"""Choices that are simulated at once, so that they share what they draw."""

AT_ONCE = 8
"""The same where time is limited."""


def may_be_fast(workflow: Workflow, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Paths of the steps that make requests of the workflow's model, in the order of the graph."""
    works = (mark.subject for mark in expand(workflow, sizes).works)
    own = [work for work in works if not work.coordination and work.model is not None]
    return tuple(dict.fromkeys(work.step for work in own if work.model == workflow.model))


def tiered(workflow: Workflow, chosen: Chosen, fast: str) -> Workflow:
    """The workflow with `fast` in the place of the model of the chosen steps."""
    return workflow.model_copy(update={"steps": _tiered(workflow.steps, chosen, fast, ())})


def _tiered(steps: Mapping[str, Step], chosen: Chosen, fast: str, path: tuple[str, ...]) -> dict[str, Step]:
    found = {}
    for name, step in steps.items():
        here = (*path, name)
        if ".".join(here) in chosen:
            step = step.model_copy(update={"model": fast})
        elif step.used is not None:
            used = step.used
            step = step.using(used.model_copy(update={"steps": _tiered(used.steps, chosen, fast, here)}))
        elif step.steps is not None:
            step = step.model_copy(update={"steps": _tiered(step.steps, chosen, fast, here)})
        elif step.choose is not None:
            step = step.model_copy(update={"choose": _tiered(step.choose, chosen, fast, here)})
        found[name] = step
    return found


class Choices:
    """Choices of steps that were simulated so far, each on the same first samples.

    until : after it no more are simulated
    cut : some were not
    kept : what was drawn
    """

    def __init__(
        self, workflow: Workflow, fast: str, sizes: Mapping[str, int], seed: int, backend: Backend, until: Stopping,
        kept: DrawCache | None = None,
    ) -> None:  # fmt: skip
        self.workflow, self.fast, self.seed, self.backend, self.until = workflow, fast, seed, backend, until
        self.found: dict[Chosen, ScenarioSamples] = {}
        self.cut = False
        self._cells = [GridPoint(1.0, sizes, requested=deciding) for deciding in (False, True)]
        self.kept = kept or DrawCache()

    @property
    def samples(self) -> int:
        """Of each choice."""
        return next(iter(self.found.values())).seconds.count

    def first(self, wanted: Sequence[Chosen], deciding: int, stopping: Stopping, progress: Progress) -> Accumulator:
        """Simulate these together; the first `deciding` of them decide how many samples are enough for all."""
        (sampled,) = sample([self._plan(wanted, stopping.most, deciding)], stopping, self.backend, progress)
        self.found |= {chosen: ScenarioSamples(sampled, at) for at, chosen in enumerate(wanted)}
        return sampled

    def take(self, wanted: Iterable[Chosen], progress: Progress) -> list[Chosen]:
        """Simulate those that were not yet, on as many samples, until time is over; those that were by then."""
        wanted = list(dict.fromkeys(wanted))
        new = [chosen for chosen in wanted if chosen not in self.found]
        size = AT_ONCE if self.until.seconds is not None else TOGETHER
        for first in range(0, len(new), size):
            if self.until.late:
                self.cut = True
                break
            part = new[first : first + size]
            (sampled,) = sample([self._plan(part, self.samples)], Stopping(self.samples), self.backend)
            self.found |= {chosen: ScenarioSamples(sampled, at) for at, chosen in enumerate(part)}
            progress((first + len(part)) / len(new))
        return [chosen for chosen in wanted if chosen in self.found]

    def _plan(self, part: Sequence[Chosen], samples: int, deciding: int = 0) -> Batch:
        return joined(
            [
                Batch.of(tiered(self.workflow, chosen, self.fast), [self._cells[at < deciding]], self.seed, samples,
                        self.backend.at_once, draw_cache=self.kept)
                for at, chosen in enumerate(part)
            ]
        )  # fmt: skip


def joined(plans: Sequence[Batch]) -> Batch:
    """One plan of plans of a cell each that differ in the models of steps only: what is drawn is drawn once."""
    first = plans[0]
    groups = []
    for at, plan in enumerate(plans):
        groups += [replace(group, points=[at + point for point in group.points]) for group in plan.groups]
    return replace(
        first,
        points=tuple(point for plan in plans for point in plan.points),
        groups=tuple(groups),
        graphs=tuple(graph for plan in plans for graph in plan.graphs),
        waits=tuple(wait for plan in plans for wait in plan.waits),
        models={name: profile for plan in plans for name, profile in plan.models.items()},
        width=max(1, min(plan.width for plan in plans)),
        watched=len(groups),
    )


EXHAUSTIVE = 12
"""Most steps of which all choices are tried."""

Q = 0.5
"""The percentile of time that is made least, and of cost that is kept within the budget."""


def fits(found: ScenarioSamples, budget: float) -> bool:
    """Whether the cost is known to be within the budget."""
    return found.usd is not None and standing(found.usd, Q, budget) == "meets"


def time(found: ScenarioSamples) -> float:
    """p50, seconds."""
    return found.seconds.quantile(Q)


def cost(found: ScenarioSamples) -> float:
    """Mean US dollars."""
    return found.usd.mean if found.usd is not None else 0.0


def all_of(steps: Sequence[str]) -> list[Chosen]:
    """All choices, those of few steps first."""
    return [frozenset(some) for count in range(len(steps) + 1) for some in combinations(steps, count)]


def every(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> list[Chosen]:
    """All choices within the budget, the quickest first; of equals the cheapest, then that of the fewest steps."""
    return _ordered(choices, choices.take(all_of(steps), progress), budget)


def selected(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> list[Chosen]:
    """What forward and backward selection come to, the better one first; empty if neither is within the budget."""
    ends = [_forward(choices, steps, budget, progress), _backward(choices, steps, budget, progress)]
    return _ordered(choices, ends, budget)


def _ordered(choices: Choices, wanted: Iterable[Chosen], budget: float) -> list[Chosen]:
    within = [one for one in dict.fromkeys(wanted) if fits(choices.found[one], budget)]
    return sorted(within, key=lambda one: (time(choices.found[one]), cost(choices.found[one]), len(one), sorted(one)))


def _forward(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> Chosen:
    """From none: the move that saves most seconds per dollar, until none saves any."""
    return _climb(choices, frozenset(), steps, budget, progress)


def _backward(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> Chosen:
    """From all: take off what loses the fewest seconds per dollar until the budget is kept, then as forward."""
    now = frozenset(steps)
    while now and not fits(choices.found[now], budget):
        fewer = choices.take([now - {step} for step in steps if step in now], progress)
        if not fewer:
            return now
        now = max(fewer, key=_gain(choices, now))
    return _climb(choices, now, steps, budget, progress)


def _climb(choices: Choices, now: Chosen, steps: Sequence[str], budget: float, progress: Progress) -> Chosen:
    """Single moves, and pairs of them where no single one helps: of parallel steps both must be faster.

    `now`, and both ends, were simulated.
    """
    while True:
        for size in (1, 2):
            moves = choices.take([now ^ set(some) for some in combinations(steps, size)], progress)
            better = [one for one in _ordered(choices, moves, budget) if _saves(choices, now, one)]
            if better:
                now = max(better, key=_gain(choices, now))
                break
        else:
            return now


def _saves(choices: Choices, now: Chosen, then: Chosen) -> bool:
    """Seconds, or dollars at the same time."""
    before, after = choices.found[now], choices.found[then]
    return (time(after), cost(after)) < (time(before), cost(before))


def _gain(choices: Choices, now: Chosen) -> Callable[[Chosen], tuple[int, float]]:
    """How good a move is: p50 saved per mean dollar more. What also costs less comes before, the most saved first."""
    before = choices.found[now]

    def gain(then: Chosen) -> tuple[int, float]:
        after = choices.found[then]
        saved, more = time(before) - time(after), cost(after) - cost(before)
        if more > 0:
            return 0, saved / more
        if saved >= 0:
            return 2, saved
        return 1, saved / max(-more, 1e-12)  # a loss: the fewest seconds for each dollar that comes back

    return gain
