"""What holds a scenario up: steps, crews, queues and limits by their drag, simulated on the same draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.engine.draws import Samples
from planner.engine.moments import Mean, Moments
from planner.engine.simulation import TICK
from planner.engine.statistics import Z975
from planner.expansion.expand import expand
from planner.expansion.graph.fragments import LIMIT, RAMPED_UP
from planner.expansion.graph.task_graph import LEAD, LIMITED, TaskGraph
from planner.measures.drag import Drag
from planner.sampling.sample import Progress, quiet
from planner.timing.pipeline import Pipeline, ScheduledSamples
from planner.workflow.declaration import Workflow

MOST_SAMPLES = 64
"""Most samples from which drags are computed."""

LEAST_SAMPLES = 16
"""Fewest samples from which drags are computed, even for a large graph, unless fewer are simulated."""

BUDGET = 16_000_000
"""Most tasks × drags × samples to schedule. `LEAST_SAMPLES` samples may exceed it."""

CELLS = 4_000_000
"""Most tasks × samples to draw together, so that a large graph needs little memory."""

NAMED = 3
"""Most holders that are named."""

SMALL = 0.01
"""Share of the mean completion time that a drag must exceed."""

Kind = Literal["step", "coordination", "crew", "queue", "lead", "limit"]


@dataclass(frozen=True)
class Holder:
    """A step, crew, queue or limit, and its drag.

    kind : ``step``, ``coordination``, ``crew``, ``queue`` (for merges), ``lead`` or ``limit`` (of LangGraph)
    name : full name of the step, also for coordination; name of the crew, also for queues; ``lead`` or
        ``max_concurrency``
    work : for a step, the kind of its work, such as ``llm``; for coordination, its mechanism, such as ``merge``;
        otherwise empty
    agents : number of agents or slots; None for steps and coordination
    drag : for steps and coordination, mean seconds saved if they took no time. For all other kinds, mean seconds saved
        if they were unbounded
    """

    kind: Kind
    name: str
    work: str
    agents: int | None
    drag: Mean


@dataclass(frozen=True, eq=False)
class Drags:
    """The drags of everything that can delay a scenario.

    samples : number of samples
    seconds : mean completion time
    all : one holder for each step, kind of coordination, crew, queue and limit
    same : pairs of indices in `all`: a queue, and the coordination that passes through this queue
    """

    samples: int
    seconds: float
    all: tuple[Holder, ...]
    same: tuple[tuple[int, int], ...]

    def crews(self) -> dict[str, float]:
        """Return the mean drag of each crew, in seconds."""
        return {holder.name: holder.drag.mean for holder in self.all if holder.kind == "crew"}

    def share(self, crew: str) -> float:
        """Return the drag of a crew as a share of the mean completion time; 0 if no task needs the crew."""
        return self.crews().get(crew, 0.0) / self.seconds if self.seconds else 0.0

    def named(self) -> tuple[Holder, ...]:
        """Return at most `NAMED` holders with the largest drags, the largest first.

        A drag is left out if it is not significant, or at most 1% of the mean completion time. A queue and the
        coordination that passes through it measure the same delay, so only the larger of their drags is used.
        """
        smaller = {min(pair, key=lambda index: self.all[index].drag.mean) for pair in self.same}
        counted = [
            holder
            for index, holder in enumerate(self.all)
            if index not in smaller
            and holder.drag.mean > SMALL * self.seconds
            and holder.drag.mean > Z975 * holder.drag.standard_error
        ]
        return tuple(sorted(counted, key=lambda holder: -holder.drag.mean)[:NAMED])


def drags(
    workflow: Workflow, sizes: Mapping[str, int], seed: int, samples: int, progress: Progress = quiet,
    speed: float = 1.0,
) -> Drags:  # fmt: skip
    """Return the drags of everything that can delay a scenario.

    sizes : number of agents of each crew
    samples : largest number of samples to use; a large graph uses fewer
    progress : is called repeatedly with 0, because this is only a small part of the work
    """
    graph = expand(workflow, sizes)
    steps: dict[tuple[str, str], list[int]] = {}
    for number, mark in enumerate(graph.works):
        steps.setdefault((mark.subject.step, mark.subject.kind), []).append(number)
    groups = _pools(graph)
    count = _samples(len(graph.graph), len(steps) + len(groups), samples)
    step_of = {number: index for index, numbers in enumerate(steps.values()) for number in numbers}
    drag = Drag(len(graph.graph), [step_of[number] for number in range(len(graph.works))], len(steps))
    drag.limit = count
    unbounded = {name: Moments(TICK) for name in groups}
    whole = Moments(TICK)
    pipeline = Pipeline.of(workflow, graph)
    width = max(1, CELLS // len(graph.graph))
    for low in range(0, count, width):
        drawn = pipeline.draw(Samples(seed, low, min(low + width, count)), detailed=True).at(speed)
        run = drawn.schedule(slice(0, min(width, count - low)), recorded=True)
        whole.add(run.seconds)
        drag.add(run, low)
        for name, pools in groups.items():
            progress(0.0)
            unbounded[name].add(_lost(run, pools))
    found = [
        Holder("coordination" if graph.works[numbers[0]].subject.coordination else "step", *step, None, mean)
        for (step, numbers), mean in zip(steps.items(), drag.means(), strict=True)
    ]
    at = {name: len(found) + index for index, name in enumerate(groups)}
    found += [_holder(graph, name, pools, unbounded[name].mean()) for name, pools in groups.items()]
    same = [
        (at[name], index)
        for name, pools in groups.items()
        if found[at[name]].kind == "queue"
        for index, numbers in enumerate(steps.values())
        if found[index].kind == "coordination" and _passes(graph, numbers, pools)
    ]
    return Drags(count, whole.mean().mean, tuple(found), tuple(same))


def most_dragging(drags: Drags, crews: Iterable[str]) -> str:
    """Return the crew with the largest drag. If several crews have the same drag, return the first of them.

    crews : the crews to choose from, in the order of the file
    """
    seconds = drags.crews()
    return max(crews, key=lambda crew: seconds.get(crew, 0.0))


def _samples(tasks: int, drags: int, most: int) -> int:
    return min(most, MOST_SAMPLES, max(LEAST_SAMPLES, BUDGET // (tasks * max(1, drags))))


def _pools(graph: TaskGraph) -> dict[str, list[int]]:
    """Return the indices of all pools, grouped by name of pool. Pools that no task uses are left out."""
    pools: dict[str, list[int]] = {}
    used = set(graph.graph.acquire.tolist())
    for index, name in enumerate(graph.pools):
        if index in used and name != RAMPED_UP:
            pools.setdefault(name, []).append(index)
    return pools


def _holder(graph: TaskGraph, name: str, pools: Sequence[int], drag: Mean) -> Holder:
    agents = int(graph.graph.capacity[pools[0]])
    if name in (LEAD, LIMIT):
        return Holder("lead" if name == LEAD else "limit", LEAD if name == LEAD else LIMITED, "", agents, drag)
    crew, _, queue = name.partition(": ")
    return Holder("queue" if queue else "crew", crew, "", agents, drag)


def _lost(run: ScheduledSamples, pools: Sequence[int]) -> np.ndarray:
    """Return an array (S,) with the seconds that each of S samples would save if the given pools were unbounded."""
    capacity = run.kernel_graph.capacity.copy()
    capacity[pools] = len(run.kernel_graph)
    drawn = run.drawn.at(run.speed)
    without = drawn.schedule(run.rows, run.kernel_graph.with_capacity(capacity))
    return np.asarray(run.seconds - without.seconds)


def _passes(graph: TaskGraph, works: Iterable[int], pools: Sequence[int]) -> bool:
    """Return whether any task of some pieces of work seizes a slot of any of the given pools.

    works : indices of the pieces of work in `graph.works`
    pools : indices of the pools
    """
    seized = {pool for number in works for pool in graph.graph.acquire[graph.works[number].tasks].ravel().tolist()}
    return not seized.isdisjoint(pools)
