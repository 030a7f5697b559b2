"""Details of samples, for rehearsals on LangGraph: durations of tasks and of their parts, predicted starts and ends."""

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
"""Path of a step, kind of work, and index of the occurrence in each loop around the step."""

Spans = dict[OccurrenceKey, tuple[float, float]]
"""Start and end of every occurrence that takes time, in seconds."""

RequestSpan = tuple[str, float]
"""``model`` for a request or ``tools`` for tool calls, and the duration in seconds."""


@dataclass(frozen=True, eq=False)
class Playback:
    """Samples of one scenario, with all details that a rehearsal needs.

    run : the scheduled samples
    first : number of the first sample, from 0
    traces : draws of the requests in each occurrence of each piece of work
    occurrences : times of each occurrence of each piece of work. All items together are one occurrence
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
        """Durations of tasks in seconds: an array (S, n) for S samples and n tasks."""
        return self.run.durations

    @property
    def schedule(self) -> Schedule:
        return self.run.schedule

    def seconds(self, work: Work, index: Index, row: int) -> float:
        """Return the duration in seconds of one occurrence of a piece of work; 0 if the occurrence is skipped.

        index : number in each loop around the work, such as (2, 7) for round 2 and item 7
        row : index of the sample in this playback
        """
        all_rows, item = _split_item(work, index)
        times = self.occurrences[work, all_rows]
        return _value(times.fixed, item, row) + _value(times.decode, item, row) / self.run.speed

    def stretches(self, task: Task, number: int, index: Index, row: int) -> Iterator[tuple[Work, Index, float]]:
        """Yield the pieces of work of a task in order. Each comes with its loop indices and its duration in seconds.

        Durations are whole ticks, and add up to the duration of the task. A skipped task yields nothing.

        number : number of the task in the graph
        index : loop indices of the task, such as (2, 7) for round 2 and item 7
        row : index of the sample in this playback
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
        """Return the requests and tool calls of an agent loop, with their durations in seconds.

        The durations are whole ticks, and their sum is `seconds`.

        index : loop indices of the agent loop, such as (2, 7) for round 2 and item 7
        row : index of the sample in this playback
        seconds : duration of the agent loop
        """
        all_rows, item = _split_item(work, index)
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
        """Return the predicted start and end of each occurrence in one sample, in seconds.

        row : index of the sample in this playback
        """
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
"""Most works in a sample that is performed. Each work takes about a millisecond, and memory for its draws."""


def playbacks(
    workflow: Workflow, sizes: Mapping[str, int], speed: float, seed: int, samples: int, width: int
) -> Iterator[Playback]:
    """Yield the first `samples` samples of a forecast, divided into playbacks of at most `width` samples.

    sizes : number of agents of each crew

    Raises InputError if one sample has over `MOST_WORKS` pieces of work.
    """
    graph = expand(workflow, sizes)
    if graph.occurrences > MOST_WORKS:
        message = f"a sample has up to {graph.occurrences:,} pieces of work; the limit is {MOST_WORKS:,}"
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
    """Yield every task in a part of the workflow. Each task comes with its number and its loop indices.

    outline : structure of the part
    first : number of the part's first task
    index : loop indices of the part, such as (2, 7) for round 2 and item 7
    """
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


def _split_item(work: Work, index: Index) -> tuple[Index, int]:
    """Split the loop indices of an occurrence into the indices of all items together, and the number of its item.

    For example, (2, 7) means round 2 and item 7. The result is (2, EVERY) and 7. If the work has neither items nor
    copies, the result is `index` and 0.
    """
    position = row_loop(work.loops)
    return (index, 0) if position is None else ((*index[:position], EVERY, *index[position + 1 :]), index[position])


def _value(values: Floats, item: int, row: int) -> float:
    """Return `values[item, row]`. If an axis of `values` has length 1, its single entry applies to every index."""
    return float(values[item if len(values) > 1 else 0, row if values.shape[1] > 1 else 0])


@dataclass(frozen=True)
class Difference:
    """The first difference between a rehearsal and its prediction.

    sample : number of the sample, from 0
    what : the occurrence that differs; None: only the completion time differs
    predicted, rehearsed : start and end of the occurrence, or of the workflow if `what` is None. The unit is seconds;
        None: the occurrence does not happen
    """

    sample: int
    what: OccurrenceKey | None
    predicted: tuple[float, float] | None
    rehearsed: tuple[float, float] | None


@dataclass(frozen=True)
class RealTime:
    """Result of one sample that was run on the real clock.

    scale : number by which all planned durations were divided
    seconds : real duration
    predicted : planned duration in seconds, before it was divided
    steps : number of pieces of work that were done
    """

    sample: int
    scale: float
    seconds: float
    predicted: float
    steps: int

    @property
    def overhead(self) -> float:
        """Seconds by which the real run took longer than predicted: `seconds - predicted / scale`."""
        return self.seconds - self.predicted / self.scale


@dataclass(frozen=True)
class Rehearsal:
    """Result of a rehearsal: samples of a workflow were run on LangGraph and compared with their prediction.

    langgraph : version of LangGraph
    compared : number of pieces of work whose start and end were compared
    difference : the first difference; None if there is no difference
    beside : parts of the workflow that LangGraph cannot express. They were run without LangGraph
    real : result on the real clock; None if only the virtual clock was used
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
