"""What holds a scenario up: steps, crews, queues and limits by their drag, which is the time saved without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.moments import Mean, Moments
from planner.engine.simulation import TICK
from planner.engine.statistics import medians
from planner.expansion.expand import expand
from planner.expansion.graph.fragments import LIMIT, RAMPED_UP
from planner.expansion.graph.task_graph import LEAD, LIMITED, TaskGraph
from planner.measures.drag import Drag, exact_durations, without_limit, without_step
from planner.sampling.sample import Progress, quiet
from planner.timing.durations import SampleDemands
from planner.timing.pipeline import Pipeline
from planner.timing.service import profiles
from planner.workflow.declaration import Workflow

MOST_SAMPLES = 256
"""Most samples from which drags are computed. A run that stops by its precision has at least as many samples."""

CHEAP = 50_000
"""More than `ENOUGH_SAMPLES` are used only up to this number of tasks × drags × samples."""

ENOUGH_SAMPLES = 64
"""Number of samples from which drags are computed, unless this is very cheap or exceeds `BUDGET`."""

LEAST_SAMPLES = 16
"""Fewest samples from which drags are computed, even for a large graph, unless fewer are simulated."""

BUDGET = 16_000_000
"""Most tasks × drags × samples to schedule. `LEAST_SAMPLES` samples may exceed it."""

CELLS = 4_000_000
"""Most tasks × samples to draw together, so that a large graph needs little memory."""

MOST_HOLDERS = 3
"""Most holders that a result lists."""

SMALL = 0.01
"""Share of the p50 that a drag must exceed."""

Kind = Literal["step", "coordination", "crew", "queue", "lead", "limit"]


@dataclass(frozen=True)
class Holder:
    """A step, crew, queue or limit that delays a scenario, and its drag.

    The drag is by how much the p50 would fall if the step took no time, or if agents or slots were unlimited. With
    an unlimited crew, models are as slow as with that many concurrent requests.

    kind : ``step``; ``coordination`` between agents; ``crew``; ``queue``, a crew's queue for merges; ``lead``, the
        agent outside all crews; ``limit``, LangGraph's limit of concurrent steps
    name : full name of the step, for a step or coordination; name of the crew, for a crew or queue; otherwise ``lead``
        or ``max_concurrency``
    work : kind of a step's work, such as ``llm``; mechanism of coordination, such as ``merge``; otherwise empty
    agents : number of agents or slots; None for steps and coordination
    """

    kind: Kind
    name: str
    work: str
    agents: int | None
    drag: Drag


@dataclass(frozen=True, eq=False)
class Drags:
    """The drags of all steps, crews, queues and limits of a scenario.

    A drag is by how much the p50 would fall if a step took no time, or if a crew, queue or limit were unlimited.

    samples : number of samples from which drags are computed: the first ones of the scenario
    seconds : p50 of the completion time of these samples
    all : one holder for each step, kind of coordination, crew, queue and limit
    saved : for each entry of `all`, the mean seconds that a sample saves
    same : pairs of indices in `all`: a queue, and coordination whose tasks wait in this queue
    """

    samples: int
    seconds: float
    all: tuple[Holder, ...]
    saved: tuple[Mean, ...]
    same: tuple[tuple[int, int], ...]

    def crews(self) -> dict[str, float]:
        """Return the drag of each crew, in seconds."""
        return {holder.name: holder.drag.seconds for holder in self.all if holder.kind == "crew"}

    def share(self, crew: str) -> float:
        """Return the drag of a crew as a share of the p50; 0 if no task needs the crew."""
        return self.crews().get(crew, 0.0) / self.seconds if self.seconds else 0.0

    def step(self, name: str, work: str) -> tuple[Drag, Mean]:
        """Return the drag of a step or of one kind of its coordination, and the mean seconds that a sample saves."""
        for holder, saved in zip(self.all, self.saved, strict=True):
            if holder.agents is None and (holder.name, holder.work) == (name, work):
                return holder.drag, saved
        raise KeyError(name, work)

    def largest(self) -> tuple[Holder, ...]:
        """Return the three steps, crews, queues or limits with the largest drags, the largest first.

        Drags of at most 1% of the p50 are left out, and drags that are not significant. If coordination waits in a
        queue, its drag and that of the queue are the same delay. So only the larger of the two is used.
        """
        smaller = {min(pair, key=lambda index: self.all[index].drag.seconds) for pair in self.same}
        counted = [
            holder
            for index, holder in enumerate(self.all)
            if index not in smaller and holder.drag.seconds > SMALL * self.seconds and holder.drag.significant
        ]
        return tuple(
            sorted(counted, key=lambda holder: (-holder.drag.seconds, holder.name, holder.work))[:MOST_HOLDERS]
        )


def drags(
    workflow: Workflow, sizes: Mapping[str, int], seed: int, samples: int, progress: Progress = quiet,
    speed: float = 1.0,
) -> Drags:  # fmt: skip
    """Simulate a scenario, and return the drags of all its steps, crews, queues and limits.

    A drag is by how much the p50 would fall if a step took no time, or if a crew, queue or limit were unlimited.

    sizes : number of agents of each crew
    samples : number of samples of the forecast; drags are computed from its first samples, fewer for a large graph
    progress : function that is called with 0 from time to time, because drags are only a small part of the work
    speed : factor on every output speed
    """
    graph = expand(workflow, sizes)
    steps: dict[tuple[str, str], list[int]] = {}
    for number, mark in enumerate(graph.works):
        steps.setdefault((mark.subject.step, mark.subject.kind), []).append(number)
    groups = _pools(graph)
    count = _samples(len(graph.graph), len(steps) + len(groups), samples)
    whole, without = np.empty(count), np.empty((len(steps) + len(groups), count))
    pipeline = Pipeline.of(workflow, graph)
    unbounded = {name: _at_full_load(workflow, graph, sizes, name) for name in groups}
    width = max(1, CELLS // len(graph.graph))
    for low in range(0, count, width):
        part = slice(low, min(low + width, count))
        draws = SampleDemands(Samples(seed, part.start, part.stop), pipeline.layers)
        run = pipeline.complete(draws, speed, detailed=True).at(speed).schedule()
        exact = exact_durations(run)
        whole[part] = run.seconds
        for row, numbers in enumerate(steps.values()):
            without[row, part] = without_step(run, numbers, exact)
        for row, (name, pools) in enumerate(groups.items(), len(steps)):
            progress(0.0)
            slower = unbounded[name]
            loaded = run if slower is None else slower.complete(draws, speed, detailed=True).at(speed).schedule()
            without[row, part] = without_limit(loaded, pools)
    each = Drag.each(whole, without)
    found = [
        Holder("coordination" if graph.works[numbers[0]].subject.coordination else "step", *step, None, drag)
        for (step, numbers), drag in zip(steps.items(), each[: len(steps)], strict=True)
    ]
    at = {name: len(found) + index for index, name in enumerate(groups)}
    found += [_holder(graph, name, pools, each[at[name]]) for name, pools in groups.items()]
    same = [
        (at[name], index)
        for name, pools in groups.items()
        if found[at[name]].kind in ("queue", "lead")
        for index, numbers in enumerate(steps.values())
        if found[index].kind == "coordination" and _uses_pools(graph, numbers, pools)
    ]
    saved = tuple(_mean(whole - times) for times in without)
    return Drags(count, float(medians(whole)), tuple(found), saved, tuple(same))


def _at_full_load(workflow: Workflow, graph: TaskGraph, sizes: Mapping[str, int], crew: str) -> Pipeline | None:
    """Return a pipeline in which models are as fast as they would be if a crew were unbounded.

    More agents have more requests open, which may slow each other down. Return None if this changes no model.

    crew : name of a crew; for other pools, the result is None
    """
    if crew not in sizes or not any(profile.by_concurrency for profile in profiles(workflow, graph).values()):
        return None
    requests = graph.max_open_requests({**sizes, crew: len(graph.graph)})
    if requests == graph.max_open_requests(sizes):
        return None
    return Pipeline.of(workflow, graph, requests)


def most_dragging(drags: Drags, crews: Iterable[str]) -> str:
    """Return the crew with the largest drag: the crew that would save the most time if it had unlimited agents.

    If several crews have the same drag, return the first of them.

    crews : the crews to choose from, in the order of the file
    """
    seconds = drags.crews()
    return max(crews, key=lambda crew: seconds.get(crew, 0.0))


def _samples(tasks: int, drags: int, most: int) -> int:
    size = tasks * max(1, drags)
    return min(most, MOST_SAMPLES, max(LEAST_SAMPLES, min(ENOUGH_SAMPLES, BUDGET // size), CHEAP // size))


def _mean(seconds: Floats) -> Mean:
    moments = Moments(TICK)
    moments.add(seconds)
    return moments.mean()


def _pools(graph: TaskGraph) -> dict[str, list[int]]:
    """Return the indices of all pools, grouped by name of pool. Pools that no task uses are left out."""
    pools: dict[str, list[int]] = {}
    used = set(graph.graph.acquire.tolist())
    for index, name in enumerate(graph.pools):
        if index in used and name != RAMPED_UP:
            pools.setdefault(name, []).append(index)
    return pools


def _holder(graph: TaskGraph, name: str, pools: Sequence[int], drag: Drag) -> Holder:
    agents = int(graph.graph.capacity[pools[0]])
    if name in (LEAD, LIMIT):
        return Holder("lead" if name == LEAD else "limit", LEAD if name == LEAD else LIMITED, "", agents, drag)
    crew, _, queue = name.partition(": ")
    return Holder("queue" if queue else "crew", crew, "", agents, drag)


def _uses_pools(graph: TaskGraph, works: Iterable[int], pools: Sequence[int]) -> bool:
    """Return whether at least one task of the given pieces of work needs a slot of one of the given pools.

    works : indices of the pieces of work in `graph.works`
    pools : indices of the pools
    """
    seized = {pool for number in works for pool in graph.graph.acquire[graph.works[number].tasks].ravel().tolist()}
    return not seized.isdisjoint(pools)
