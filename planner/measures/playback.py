"""Samples in detail, to be played: durations of tasks, works and requests, and when each is predicted to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import TICK, Schedule
from planner.errors import InputError, Problem
from planner.expansion.draw.demand_draws import Traces
from planner.expansion.expand import expand
from planner.expansion.graph.conditions import (
    EVERY,
    Index,
    occurrences,
    row_loop,
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
from planner.timing.durations import OccurrenceTimes, SampleDemands, TaskTimes
from planner.timing.pipeline import Pipeline, ScheduledSamples
from planner.workflow.declaration import Workflow

OccurrenceKey = tuple[str, str, Index]
"""Path of a step, kind of work, and the occurrence within the loops around it."""

Spans = dict[OccurrenceKey, tuple[float, float]]
"""Start and end, in seconds, of every occurrence that takes time."""

RequestSpan = tuple[str, float]
"""``model`` or ``tools``, and seconds."""


@dataclass(frozen=True, eq=False)
class Playback:
    """Samples of one scenario.

    first : number of the first sample, from 0
    occurrences : times of each occurrence of each work, for all items together
    """

    run: ScheduledSamples
    first: int
    traces: Traces
    occurrences: Mapping[tuple[Work, Index], OccurrenceTimes]

    def __len__(self) -> int:
        return len(self.durations)

    @property
    def graph(self) -> TaskGraph:
        return self.run.graph

    @property
    def times(self) -> TaskTimes:
        return self.run.times

    @property
    def durations(self) -> Floats:
        """(S, n) seconds of tasks."""
        return self.run.durations

    @property
    def schedule(self) -> Schedule:
        return self.run.schedule

    def seconds(self, work: Work, index: Index, row: int) -> float:
        """Duration of an occurrence in sample `row`; 0 if it is not done."""
        all_rows, item = _all_rows(work, index)
        times = self.occurrences[work, all_rows]
        return _value(times.fixed, item, row) + _value(times.decode, item, row) / self.run.speed

    def stretches(self, task: Task, number: int, index: Index, row: int) -> Iterator[tuple[Work, Index, float]]:
        """Yield the works of a task in order, with their seconds: whole ticks that add up to the task's duration.

        number : of the task in the graph
        row : of the sample
        """
        duration = float(self.durations[row, number])
        if duration < 0:
            return
        works = []
        for work, inner in task.does:
            assert isinstance(work, Work)
            works.append((work, (*index, *inner), self.seconds(work, (*index, *inner), row)))
        reached, before = 0.0, 0.0
        last = max((position for position, (_, _, seconds) in enumerate(works) if seconds > 0), default=-1)
        for position, (work, occurrence, seconds) in enumerate(works):
            reached += seconds
            end = duration if position >= last else min(duration, round(reached / TICK) * TICK)
            yield work, occurrence, end - before
            before = end

    def requests(self, work: Work, index: Index, row: int, seconds: float) -> list[RequestSpan]:
        """Return the requests and tool calls of an agent loop: whole ticks that add up to `seconds`."""
        all_rows, item = _all_rows(work, index)
        service = self.run.service[work.model or ""]
        spans: list[RequestSpan] = []
        for draw in self.traces[work, all_rows].trace or ():
            if not _value(draw.active, item, row):
                continue
            jitter = _value(draw.jitter, item, row) if draw.jitter.any() else 0.0
            if jitter:
                duration = jitter * (
                    _value(service.ttft, 0, row)
                    + _value(draw.uncached, item, row) * _value(service.prefill, 0, row)
                    + _value(draw.output, item, row) * _value(service.decode, 0, row) / self.run.speed
                )
                spans.append(("model", duration))
            else:
                spans.append(("tools", _value(draw.seconds, item, row)))
        total = sum(duration for _, duration in spans)
        reached, before, scaled = 0.0, 0.0, []
        for kind, duration in spans:
            reached += duration
            end = round(seconds * reached / total / TICK) * TICK if total else 0.0
            scaled.append((kind, end - before))
            before = end
        return scaled

    def predicted(self, row: int) -> Spans:
        """Predict when each occurrence of a sample starts and ends."""
        starts, ends = self.schedule.starts[row], self.schedule.ends[row]
        spans: Spans = {}
        for task, number, index in tasks(self.graph.outline, 0, ()):
            start, end = float(starts[number]), float(ends[number])
            if np.isnan(start):
                continue
            away = 0.0
            if self.graph.graph.leave[number] >= 0:
                away = end - start - max(0.0, float(self.durations[row, number]))
            for work, occurrence, seconds in self.stretches(task, number, index, row):
                stop = min(start + seconds + max(0.0, away), end)
                if stop > start:
                    spans[work.step, work.kind, occurrence] = (start, stop)
                start = stop
        return spans


MOST_WORKS = 100_000
"""Most works in a sample to perform: each takes about a millisecond, and memory for its draws."""


def playbacks(
    workflow: Workflow, sizes: Mapping[str, int], speed: float, seed: int, samples: int, width: int
) -> Iterator[Playback]:
    """Yield the first `samples` samples of a forecast, at most `width` per playback.

    Raises InputError if one sample has over `MOST_WORKS` works.
    """
    graph = expand(workflow, sizes)
    if graph.occurrences > MOST_WORKS:
        message = f"up to {graph.occurrences:,} things are done in a sample, and {MOST_WORKS:,} can be performed"
        raise InputError([Problem("too-large", message, None, "rehearse fewer items: all of them are alike")])
    pipeline = Pipeline.of(workflow, graph)
    for first in range(0, samples, width):
        traces: Traces = {}
        draws = SampleDemands(Samples(seed, first, min(first + width, samples)), pipeline.layers, traces=traces)
        run = pipeline.complete(draws, speed, detailed=True).at(speed).schedule(recorded=True)
        times = {
            (totals.work, index): occurrence
            for totals in run.times.works
            for index, occurrence in zip(occurrences(totals.work.loops), totals.occurrences, strict=True)
        }
        yield Playback(run, first, traces, times)


def tasks(outline: Outline, first: int, index: Index) -> Iterator[tuple[Task, int, Index]]:
    """Yield every task of an outline that begins at task `first`: the task, its number, and the loops around it."""
    if isinstance(outline, Task):
        yield outline, first, index
    elif isinstance(outline, Chain | Group | Dispatch):
        parts = outline.parts.values() if isinstance(outline, Group) else outline.parts
        for part in parts:
            yield from tasks(part.outline, first + part.at, index)
    elif isinstance(outline, InRound):
        yield from tasks(outline.body, first, (*index, *outline.inner))
    elif isinstance(outline, Rounds | Replicas):
        body = first + isinstance(outline, Replicas)
        for number in range(outline.count):
            yield from tasks(outline.body, body + number * outline.body.size, (*index, number))


def _all_rows(work: Work, index: Index) -> tuple[Index, int]:
    """Return the occurrence for all rows together, and the row of `index`."""
    position = row_loop(work.loops)
    return (index, 0) if position is None else ((*index[:position], EVERY, *index[position + 1 :]), index[position])


def _value(values: Floats, item: int, row: int) -> float:
    """Return an element of an array that broadcasts to (items, samples)."""
    return float(values[item if len(values) > 1 else 0, row if values.shape[1] > 1 else 0])


@dataclass(frozen=True)
class Difference:
    """The first deviation from the prediction.

    what : the occurrence; None: the completion of the workflow
    predicted, rehearsed : start and end; None: it does not happen
    """

    sample: int
    what: OccurrenceKey | None
    predicted: tuple[float, float] | None
    rehearsed: tuple[float, float] | None


@dataclass(frozen=True)
class RealTime:
    """One sample on the real clock, `scale` times as fast.

    seconds : real duration
    predicted : duration by the plan, not scaled
    steps : number of works done
    """

    sample: int
    scale: float
    seconds: float
    predicted: float
    steps: int

    @property
    def overhead(self) -> float:
        """Real seconds beyond the prediction."""
        return self.seconds - self.predicted / self.scale


@dataclass(frozen=True)
class Rehearsal:
    """Samples of a workflow, performed on LangGraph.

    compared : works whose starts and ends were compared
    beside : parts that LangGraph cannot express, performed outside of it
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
