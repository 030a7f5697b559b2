"""A task graph and its demands in; seconds and billed amounts of every task out, for a slice of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.engine.simulation import LONGEST, round_to_ticks
from planner.errors import InputError, Problem
from planner.expansion.draw.demand import Demand, Layers, nothing
from planner.expansion.draw.demand_draws import DemandCache, DemandDraws, Traces
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.timing.cost import Billing
from planner.timing.service import ServiceTimes, serving_traits

SKIPPED = -1.0
"""The duration of a skipped task."""

_NONE: Floats = np.zeros((1, 1))


class Part(IntEnum):
    """Where the time of a task goes. All the time of a coordination mechanism is COORDINATION."""

    DECODE = 0
    PREFILL = 1
    TTFT = 2
    TOOLS = 3
    PEOPLE = 4
    COORDINATION = 5


class Split(Enum):
    """Which parts of task times are kept apart. The value is the column of each `Part`."""

    WHOLE = (0, 0, 0, 0, 0, 0)
    COORDINATION = (0, 0, 0, 0, 0, 1)
    PARTS = (0, 1, 2, 3, 4, 5)

    @property
    def columns(self) -> int:
        return max(self.value) + 1

    @classmethod
    def of(cls, graph: TaskGraph, detailed: bool) -> Split:
        """Return the split of a graph's times: all parts if `detailed`, else no more than a comparison needs."""
        if detailed:
            return cls.PARTS
        return cls.COORDINATION if any(mark.subject.coordination for mark in graph.works) else cls.WHOLE


@dataclass(frozen=True, eq=False)
class SampleDemands:
    """Samples, and the demands that are already drawn for them.

    demands : filled with those that are still missing
    traces : filled with every request of every occurrence, if given
    """

    samples: Samples
    layers: Layers
    demands: DemandCache = field(default_factory=dict)
    traces: Traces | None = None


@dataclass(frozen=True, eq=False)
class OccurrenceTimes:
    """One occurrence of a work, for all items. Arrays broadcast to (items, S).

    tasks : the task of each item
    fixed, decode : seconds that do not, and that do, shrink with speed
    billed : kept for tasks that may be cancelled, else None
    done : 1 where it is done, else 0; kept with `billed`
    wait : seconds of `fixed` that pass before the work begins
    """

    tasks: slice
    fixed: Floats
    decode: Floats
    billed: Billing | None = None
    done: Floats | None = None
    wait: Floats = field(default_factory=nothing)

    def seconds(self, speed: float) -> Floats:
        return self.fixed + self.decode / speed


@dataclass(frozen=True, eq=False)
class WorkTotals:
    """Sums over all occurrences of one work, as if nothing were cancelled.

    done : (S,) how many occurrences are done
    billed : (S,)
    occurrences : each of them; only where they are requested or may be cancelled
    """

    work: Work
    done: Floats
    billed: Billing
    occurrences: list[OccurrenceTimes]


@dataclass(frozen=True, eq=False)
class TaskTimes:
    """Times of n tasks in S samples. Each column of a task takes ``fixed + decode / speed`` seconds.

    fixed, decode : (columns of `split`, n, S)
    skipped : tasks under a condition, each with where they are skipped
    patience, away : (S, rows of the graph's `since`) seconds until a person leaves, and until they are back
    works : totals of each work
    accepted : (S,) whether no failure remains
    largest : model → (S,) prompt and output tokens of the largest request
    """

    split: Split
    fixed: Floats
    decode: Floats
    skipped: tuple[tuple[slice, Bools], ...]
    patience: Floats
    away: Floats
    works: tuple[WorkTotals, ...]
    accepted: Bools
    largest: Mapping[str, Floats]

    @property
    def samples(self) -> int:
        return len(self.accepted)

    @cached_property
    def _whole(self) -> tuple[Floats, Floats]:
        """(S, n) `fixed` and `decode` of all parts together. `fixed` of a skipped task is −∞."""
        fixed, decode = (np.ascontiguousarray(parts.sum(0).T) for parts in (self.fixed, self.decode))
        for tasks, skipped in self.skipped:
            fixed[:, tasks][np.broadcast_to(skipped, (length(tasks), len(fixed))).T] = -np.inf
        return fixed, decode

    def durations(self, speed: float) -> Floats:
        """Return (S, n) seconds, rounded to ticks. Raises InputError for a task longer than the clock can hold."""
        fixed, decode = self._whole
        seconds = decode / speed
        seconds += fixed
        if not np.all(seconds < LONGEST) or not np.all(self.away < LONGEST):
            hint = "raise the slowest speed, or lower the tokens or the time of the longest step"
            raise InputError([Problem("too-large", f"a task takes over {LONGEST / 86400 / 365:.0f} years", None, hint)])
        return np.maximum(round_to_ticks(seconds), SKIPPED, out=seconds)

    @cached_property
    def coordinating(self) -> NDArray[np.intp]:
        """Tasks whose coordination takes time. Coordination must have a column of its own."""
        column = self.split.value[Part.COORDINATION]
        return np.flatnonzero((self.fixed[column] != 0).any(1) | (self.decode[column] != 0).any(1))

    def coordination(self, speed: float) -> Floats:
        """Return (S, coordinating tasks) seconds, rounded to ticks."""
        tasks, column = self.coordinating, self.split.value[Part.COORDINATION]
        return round_to_ticks(np.ascontiguousarray((self.fixed[column][tasks] + self.decode[column][tasks] / speed).T))

    def part(self, part: Part, speed: float) -> Floats:
        """Return (S, n) seconds of a part that has a column of its own."""
        column = self.split.value[part]
        seconds: Floats = self.fixed[column] + self.decode[column] / speed
        return seconds.T


def task_times(
    graph: TaskGraph, service: Mapping[str, ServiceTimes], draws: SampleDemands, speed: float, detailed: bool = False
) -> TaskTimes:
    """Draw the demands of a graph, and time them.

    speed : at which timeouts of attempts are checked; it changes nothing else
    detailed : keep all parts apart, and the occurrences of each work
    """
    return _Timing(graph, service, draws, speed, detailed).times()


class _Timing:
    """Adds up the times of a graph, work by work."""

    def __init__(
        self, graph: TaskGraph, service: Mapping[str, ServiceTimes], draws: SampleDemands, speed: float, detailed: bool
    ) -> None:
        tasks, self.width = len(graph.graph), len(draws.samples)
        self.graph, self.service, self.speed, self.detailed = graph, service, speed, detailed
        self.split = Split.of(graph, detailed)
        self.demands = DemandDraws(
            draws.samples, draws.layers, graph, {name: serving_traits(by.profile) for name, by in service.items()},
            lambda work, demand: _total(self._parts(work, demand), speed), draws.demands, draws.traces,
        )  # fmt: skip
        self.fixed = np.zeros((self.split.columns, tasks, self.width))
        self.decode = np.zeros((self.split.columns, tasks, self.width))
        self.largest = {name: np.zeros(self.width) for name in service}
        self.patience, self.away = (np.zeros((self.width, len(graph.graph.since))) for _ in range(2))

    def times(self) -> TaskTimes:
        works = tuple(map(self._add, self.graph.works))
        skipped = tuple(
            (_span(tasks), where) for mark in self.graph.skips for tasks, where in self.demands.skipped(mark)
        )
        return TaskTimes(
            self.split, self.fixed, self.decode, skipped, self.patience, round_to_ticks(self.away), works,
            self.demands.accepted(), self.largest,
        )  # fmt: skip

    def _add(self, mark: TaskMap[Work]) -> WorkTotals:
        """Add a work, and return its totals."""
        work = mark.subject
        service = self._service(work)
        done, total = np.zeros(self.width), Billing.zeros(self.width)
        occurrences = []
        for tasks, demand, active in self.demands.demands(mark):
            rows, span = len(tasks), _span(tasks)
            done += rows if active is None else _over_items(active.astype(float), rows)
            parts = self._attempt(work, demand)
            self._add_parts(work, span, parts)
            billed = Billing.of(demand)
            if service is not None or work.usd is not None:
                total.input[:] += _over_items(billed.input, rows)
                total.written[:] += _over_items(billed.written, rows)
                total.cache_read[:] += _over_items(billed.cache_read, rows)
                total.output[:] += _over_items(billed.output, rows)
                total.calls[:] += _over_items(billed.calls, rows)
            if service is not None:
                largest = self.largest[service.profile.name]
                np.maximum(largest, demand.largest.max(0), out=largest)
            cancellable = bool(self.graph.raced[span].any())
            if self.detailed or cancellable:
                fixed = sum((seconds for part, seconds in parts.items() if part != Part.DECODE), _NONE)
                decode = parts.get(Part.DECODE, _NONE)
                shape = rows, self.width
                done_share = np.broadcast_to(1.0 if active is None else active.astype(float), shape)
                occurrences.append(OccurrenceTimes(
                    span, fixed, decode, billed.broadcast_to(shape) if cancellable else None,
                    done_share if cancellable else None, demand.wait,
                ))  # fmt: skip
        for tasks, before_leaving, until_back in self.demands.context_switches(mark):
            rows_of_leaving = self.graph.graph.leave[tasks]
            self.patience[:, rows_of_leaving] = before_leaving.T
            self.away[:, rows_of_leaving] = until_back.T
        return WorkTotals(work, done, total, occurrences)

    def _add_parts(self, work: Work, tasks: slice, parts: Mapping[Part, Floats]) -> None:
        """Add seconds to the columns of tasks."""
        for part, seconds in parts.items():
            column = self.split.value[Part.COORDINATION if work.coordination else part]
            (self.decode if part == Part.DECODE else self.fixed)[column, tasks] += seconds

    def _attempt(self, work: Work, demand: Demand) -> dict[Part, Floats]:
        """Seconds of each part: of an attempt no more than its timeout, plus the wait before it."""
        parts = self._parts(work, demand)
        if work.retry is None:
            return parts
        timeout = work.retry.timeout
        if timeout is not None:
            seconds = np.maximum(_total(parts, self.speed), timeout)
            parts = {part: value * (timeout / seconds) for part, value in parts.items()}
        if np.any(demand.wait):
            parts[Part.TOOLS] = parts.get(Part.TOOLS, _NONE) + demand.wait
        return parts

    def _parts(self, work: Work, demand: Demand) -> dict[Part, Floats]:
        """Seconds of each part, in arrays that broadcast to (items, S). Those of DECODE are at speed 1."""
        parts = {}
        if np.any(demand.seconds):
            parts[Part.PEOPLE if work.kind == "human" else Part.TOOLS] = demand.seconds
        service = self._service(work)
        if service is not None:
            parts[Part.TTFT] = demand.requests * service.ttft
            parts[Part.DECODE] = demand.decode * service.decode
            if service.profile.prefill_speed is not None:
                parts[Part.PREFILL] = demand.prefill * service.prefill
        return parts

    def _service(self, work: Work) -> ServiceTimes | None:
        return self.service[work.model] if work.model is not None else None


def _total(parts: Mapping[Part, Floats], speed: float) -> Floats:
    """Seconds of all parts together."""
    return sum((seconds / speed if part == Part.DECODE else seconds for part, seconds in parts.items()), _NONE)


def _over_items(values: Floats, items: int) -> Floats:
    """Sum over items of an array that broadcasts to (items, S)."""
    total: Floats = values.sum(0) * (1 if len(values) == items else items)
    return total


def length(tasks: slice) -> int:
    """Number of tasks in a slice."""
    return len(range(tasks.start, tasks.stop, tasks.step))


def _span(tasks: NDArray[np.int32]) -> slice:
    """Return tasks as a slice: those of successive items lie at equal distances."""
    step = int(tasks[1] - tasks[0]) if len(tasks) > 1 else 1
    return slice(int(tasks[0]), int(tasks[-1]) + 1, step)
