"""Samples of a workflow as a script to be played: what every task, work and request takes, and when by prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import TICK, Schedule, simulate
from planner.errors import InputError, Problem
from planner.expansion.draw.demand import Layers
from planner.expansion.draw.demand_draws import Traces
from planner.expansion.expand import expand
from planner.expansion.graph.loops import (
    EVERY,
    Index,
    innermost_items,
    occurrences,
)
from planner.expansion.graph.outline import (
    Chain,
    Dispatch,
    Group,
    InRound,
    Outline,
    Replicas,
    Rounds,
    Task,
)
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.timing.durations import (
    OccurrenceTimes,
    SampleDemands,
    TaskTimes,
    task_times,
)
from planner.timing.service import ServiceTimes, profiles
from planner.workflow.declaration import Workflow

OccurrenceKey = tuple[str, str, Index]
"""A step's path, the kind of what is done, and which occurrence of it in the loops around."""

Spans = dict[OccurrenceKey, tuple[float, float]]
"""Seconds at which it starts and ends; what takes no time is left out."""

RequestSpan = tuple[str, float]
"""``model`` or ``tools``, and seconds."""


@dataclass(frozen=True, eq=False)
class Playback:
    """Samples of one scenario.

    first : number of the first sample
    durations : (S, n) seconds of tasks
    """

    graph: TaskGraph
    first: int
    speed: float
    times: TaskTimes
    durations: Floats
    schedule: Schedule
    traces: Traces
    pieces: Mapping[tuple[Work, Index], OccurrenceTimes]
    served: Mapping[str, ServiceTimes]

    def __len__(self) -> int:
        return len(self.durations)

    def seconds(self, work: Work, index: Index, row: int) -> float:
        """Seconds of an occurrence in a sample; 0 where it is not done."""
        around, item = _item(work, index)
        piece = self.pieces[work, around]
        return _at(piece.fixed, item, row) + _at(piece.decode, item, row) / self.speed

    def stretches(self, task: Task, at: int, index: Index, row: int) -> Iterator[tuple[Work, Index, float]]:
        """What is done in a task of a sample, in order, in whole ticks that add up to the task's."""
        left = float(self.durations[row, at])
        if left < 0:
            return
        found = []
        for work, inner in task.does:
            assert isinstance(work, Work)
            found.append((work, (*index, *inner), self.seconds(work, (*index, *inner), row)))
        reached, before = 0.0, 0.0
        last = max((number for number, (_, _, seconds) in enumerate(found) if seconds > 0), default=-1)
        for number, (work, here, seconds) in enumerate(found):
            reached += seconds
            end = left if number >= last else min(left, round(reached / TICK) * TICK)
            yield work, here, end - before
            before = end

    def requests(self, work: Work, index: Index, row: int, seconds: float) -> list[RequestSpan]:
        """The requests and goes of tools of an agent loop, in whole ticks that add up to these seconds."""
        around, item = _item(work, index)
        by = self.served[work.model or ""]
        found: list[RequestSpan] = []
        for asked in self.traces[work, around].trace or ():
            if not _at(asked.active, item, row):
                continue
            jitter = _at(asked.jitter, item, row) if asked.jitter.any() else 0.0
            if jitter:
                lasting = jitter * (
                    _at(by.ttft, 0, row)
                    + _at(asked.uncached, item, row) * _at(by.prefill, 0, row)
                    + _at(asked.output, item, row) * _at(by.decode, 0, row) / self.speed
                )
                found.append(("model", lasting))
            else:
                found.append(("tools", _at(asked.seconds, item, row)))
        total = sum(lasting for _, lasting in found)
        reached, before, scaled = 0.0, 0.0, []
        for kind, lasting in found:
            reached += lasting
            end = round(seconds * reached / total / TICK) * TICK if total else 0.0
            scaled.append((kind, end - before))
            before = end
        return scaled

    def predicted(self, row: int) -> Spans:
        """When everything that takes time is done in a sample."""
        starts, ends = self.schedule.starts[row], self.schedule.ends[row]
        found: Spans = {}
        for task, at, index in tasks(self.graph.outline, 0, ()):
            start, end = float(starts[at]), float(ends[at])
            if np.isnan(start):
                continue
            away = end - start - max(0.0, float(self.durations[row, at])) if self.graph.graph.leave[at] >= 0 else 0.0
            for work, here, seconds in self.stretches(task, at, index, row):
                stop = min(start + seconds + max(0.0, away), end)
                if stop > start:
                    found[work.step, work.kind, here] = (start, stop)
                start = stop
        return found


MOST_WORKS = 100_000
"""Works in a sample that is performed: each takes about a millisecond, and room for its draws."""


def playbacks(
    workflow: Workflow, sizes: Mapping[str, int], speed: float, seed: int, samples: int, width: int
) -> Iterator[Playback]:
    """The samples of a scenario, at most `width` at a time, on the draws of every forecast of this seed.

    Raises InputError where there are over `MOST_WORKS` works in one.
    """
    graph = expand(workflow, sizes)
    if graph.occurrences > MOST_WORKS:
        message = f"up to {graph.occurrences:,} things are done in a sample, and {MOST_WORKS:,} can be performed"
        raise InputError([Problem("too-large", message, None, "rehearse fewer items: all of them are alike")])
    models = profiles(workflow, graph)
    requests = graph.max_open_requests(sizes)
    layers = Layers.of(workflow.uncertainty)
    for first in range(0, samples, width):
        slice_ = Samples(seed, first, min(first + width, samples))
        served = {name: ServiceTimes.of(profile.at(requests), slice_) for name, profile in models.items()}
        traces: Traces = {}
        found = task_times(graph, served, SampleDemands(slice_, layers, traces=traces), speed, detailed=True)
        durations = found.durations(speed)
        schedule = simulate(graph.graph, durations, patience=found.patience, away=found.away, recorded=True)
        pieces = {
            (totals.work, index): piece
            for totals in found.works
            for index, piece in zip(occurrences(totals.work.loops), totals.pieces, strict=True)
        }
        yield Playback(graph, first, speed, found, durations, schedule, traces, pieces, served)


def tasks(outline: Outline, at: int, index: Index) -> Iterator[tuple[Task, int, Index]]:
    """Every task of an outline that begins at a task, with its number and the loops around it."""
    if isinstance(outline, Task):
        yield outline, at, index
    elif isinstance(outline, Chain | Group | Dispatch):
        parts = outline.parts.values() if isinstance(outline, Group) else outline.parts
        for part in parts:
            yield from tasks(part.outline, at + part.at, index)
    elif isinstance(outline, InRound):
        yield from tasks(outline.body, at, (*index, *outline.inner))
    elif isinstance(outline, Rounds | Replicas):
        first = at + isinstance(outline, Replicas)
        for number in range(outline.count):
            yield from tasks(outline.body, first + number * outline.body.size, (*index, number))


def _item(work: Work, index: Index) -> tuple[Index, int]:
    """The occurrence for all items together, and which of them it is."""
    items = innermost_items(work.loops)
    return (index, 0) if items is None else ((*index[:items], EVERY, *index[items + 1 :]), index[items])


def _at(values: Floats, item: int, row: int) -> float:
    """An element of what broadcasts to (items, samples)."""
    return float(values[item if len(values) > 1 else 0, row if values.shape[1] > 1 else 0])


@dataclass(frozen=True)
class Difference:
    """The first that is not as predicted.

    what : which occurrence of which work; None: the completion
    predicted, rehearsed : its start and end; None: it does not happen
    """

    sample: int
    what: OccurrenceKey | None
    predicted: tuple[float, float] | None
    rehearsed: tuple[float, float] | None


@dataclass(frozen=True)
class RealTime:
    """One sample on the real clock, `scale` times as fast.

    seconds : that it took
    predicted : of the plan
    steps : works that were done
    """

    sample: int
    scale: float
    seconds: float
    predicted: float
    steps: int

    @property
    def overhead(self) -> float:
        """Real seconds more than predicted."""
        return self.seconds - self.predicted / self.scale


@dataclass(frozen=True)
class Rehearsal:
    """Samples of a workflow, performed on LangGraph.

    compared : starts and ends of works that were compared, without completions
    beside : what LangGraph has no means for, and was done beside it
    """

    workflow: str
    runtime: str
    langgraph: str
    seed: int
    samples: int
    compared: int
    difference: Difference | None
    beside: tuple[str, ...]
    real: RealTime | None = None
