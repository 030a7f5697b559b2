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
    """A kind of time that a task takes. All time of coordination, for example of a merge, counts as `COORDINATION`."""

    DECODE = 0
    PREFILL = 1
    TTFT = 2
    TOOLS = 3
    PEOPLE = 4
    COORDINATION = 5


class Split(Enum):
    """The kinds of time (`Part`) that are kept in separate columns.

    The value of each member maps every `Part` to a column number. Parts with equal numbers share a column.
    """

    WHOLE = (0, 0, 0, 0, 0, 0)
    COORDINATION = (0, 0, 0, 0, 0, 1)
    PARTS = (0, 1, 2, 3, 4, 5)

    @property
    def columns(self) -> int:
        return max(self.value) + 1

    @classmethod
    def of(cls, graph: TaskGraph, detailed: bool) -> Split:
        """Return the columns for the times of a graph's tasks.

        detailed : if true, each `Part` has its own column. If false, coordination has a column, and all other parts
            share another column. A graph without coordination then has a single column
        """
        if detailed:
            return cls.PARTS
        return cls.COORDINATION if any(mark.subject.coordination for mark in graph.works) else cls.WHOLE


@dataclass(frozen=True, eq=False)
class SampleDemands:
    """Samples, and the demands that are already drawn for these samples.

    demands : demands drawn so far. Later draws are added
    traces : record of every request drawn so far; None: requests are not recorded
    """

    samples: Samples
    layers: Layers
    demands: DemandCache = field(default_factory=dict)
    traces: Traces | None = None


@dataclass(frozen=True, eq=False)
class OccurrenceTimes:
    """The times of one occurrence of a `Work`, for example of its second round. Arrays broadcast to (items, samples).

    tasks : the task of each item
    fixed : seconds that do not depend on speed
    decode : seconds at speed 1. At another speed, these are `decode / speed` seconds
    billed : billed amounts if nothing is cancelled; None for tasks that cannot be cancelled
    done : 1 if the work is done at this occurrence, 0 if it is skipped; None for tasks that cannot be cancelled
    wait : seconds before the work begins, which are part of `fixed`
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
    """Sums over all occurrences of a `Work`. Cancelled occurrences are included as if they ran to the end.

    done : number of occurrences that are not skipped, (samples,)
    billed : billed amounts, in arrays (samples,)
    occurrences : times of each occurrence. If the task times were computed without details, only occurrences that may
        be cancelled are in the list
    """

    work: Work
    done: Floats
    billed: Billing
    occurrences: list[OccurrenceTimes]


@dataclass(frozen=True, eq=False)
class TaskTimes:
    """The times of all tasks in each sample. A task takes `fixed + decode / speed` seconds.

    split : the column of `fixed` and `decode` for each kind of time, such as TTFT or tools
    fixed, decode : seconds, (columns, tasks, samples)
    skipped : tasks that may be skipped, each with a mask (items, samples) that is true where the task is skipped
    patience : seconds after which a waiting person turns to something else: one column for each task of a person who
        may do so, (samples, columns)
    away : seconds that the person then takes to come back, with the same columns
    works : totals of each `Work`
    accepted : mask (samples,) of the samples in which every failed step has a fallback
    largest : name of a model → prompt and output tokens of its largest request, (samples,)
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
        """Two arrays (samples, tasks): `fixed` and `decode`, each summed over its columns.

        In the first array, a skipped task has the value −∞.
        """
        fixed, decode = (np.ascontiguousarray(parts.sum(0).T) for parts in (self.fixed, self.decode))
        for tasks, skipped in self.skipped:
            fixed[:, tasks][np.broadcast_to(skipped, (length(tasks), len(fixed))).T] = -np.inf
        return fixed, decode

    def durations(self, speed: float) -> Floats:
        """Return the durations of all tasks in seconds, (samples, tasks), rounded to ticks of the clock.

        A skipped task has the duration `SKIPPED`. Raises `InputError` if a task takes longer than the clock can hold.
        """
        fixed, decode = self._whole
        seconds = decode / speed
        seconds += fixed
        if not np.all(seconds < LONGEST) or not np.all(self.away < LONGEST):
            hint = "raise the slowest speed, or lower the tokens or the time of the longest step"
            raise InputError([Problem("too-large", f"a task takes over {LONGEST / 86400 / 365:.0f} years", None, hint)])
        return np.maximum(round_to_ticks(seconds), SKIPPED, out=seconds)

    @cached_property
    def coordinating(self) -> NDArray[np.intp]:
        """Numbers of the tasks that spend time on coordination.

        The times of coordination must be separate, so `split` must not be `Split.WHOLE`.
        """
        column = self.split.value[Part.COORDINATION]
        return np.flatnonzero((self.fixed[column] != 0).any(1) | (self.decode[column] != 0).any(1))

    def coordination(self, speed: float) -> Floats:
        """Return the seconds that each task spends on coordination, (samples, tasks), rounded to ticks of the clock.

        Only the tasks in `coordinating` are returned.
        """
        tasks, column = self.coordinating, self.split.value[Part.COORDINATION]
        return round_to_ticks(np.ascontiguousarray((self.fixed[column][tasks] + self.decode[column][tasks] / speed).T))

    def part(self, part: Part, speed: float) -> Floats:
        """Return the seconds that each task spends on one part, such as TTFT: an array (samples, tasks).

        The part must be separate from the other parts. It always is if `split` is `Split.PARTS`.
        """
        column = self.split.value[part]
        seconds: Floats = self.fixed[column] + self.decode[column] / speed
        return seconds.T


def task_times(
    graph: TaskGraph, service: Mapping[str, ServiceTimes], draws: SampleDemands, speed: float, detailed: bool = False
) -> TaskTimes:
    """Draw the demands of a graph, and return the times of its tasks.

    service : service times of each model
    speed : speed at which attempts are cut off at their timeout. All other times in the result are valid at any speed
    detailed : whether to separate all parts of the times. Then all occurrences of each `Work` are kept too
    """
    return _Timing(graph, service, draws, speed, detailed).times()


class _Timing:
    """Adds up the times of tasks, one `Work` after another."""

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

    def _add(self, task_map: TaskMap[Work]) -> WorkTotals:
        """Draw the demands of a `Work`, add the resulting seconds to its tasks, and return the totals of the `Work`.

        task_map : the `Work` and the numbers of its tasks
        """
        work = task_map.subject
        service = self._service(work)
        done, total = np.zeros(self.width), Billing.zeros(self.width)
        occurrences = []
        for tasks, demand, active in self.demands.demands(task_map):
            rows, span = len(tasks), _span(tasks)
            done += rows if active is None else _over_items(active.astype(float), rows)
            parts = self._attempt(work, demand)
            billed = Billing.of(demand, _paid_units(work, demand, parts, active))
            if work.retry is not None and np.any(demand.wait):
                parts[Part.TOOLS] = parts.get(Part.TOOLS, _NONE) + demand.wait
            self._add_parts(work, span, parts)
            if service is not None or work.pay is not None:
                total.input[:] += _over_items(billed.input, rows)
                total.written[:] += _over_items(billed.written, rows)
                total.cache_read[:] += _over_items(billed.cache_read, rows)
                total.output[:] += _over_items(billed.output, rows)
                total.units[:] += _over_items(billed.units, rows)
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
        for tasks, before_leaving, until_back in self.demands.context_switches(task_map):
            rows_of_leaving = self.graph.graph.leave[tasks]
            self.patience[:, rows_of_leaving] = before_leaving.T
            self.away[:, rows_of_leaving] = until_back.T
        return WorkTotals(work, done, total, occurrences)

    def _add_parts(self, work: Work, tasks: slice, parts: Mapping[Part, Floats]) -> None:
        """Add the seconds of one occurrence of a `Work` to the times of its tasks, each part in its column.

        parts : kind of time → seconds
        """
        for part, seconds in parts.items():
            column = self.split.value[Part.COORDINATION if work.coordination else part]
            (self.decode if part == Part.DECODE else self.fixed)[column, tasks] += seconds

    def _attempt(self, work: Work, demand: Demand) -> dict[Part, Floats]:
        """Return the seconds of each part of a `Work` at one occurrence.

        If the `Work` has `retry`, the occurrence is an attempt. An attempt is cut off at its timeout. The wait before
        the attempt is left out.
        """
        parts = self._parts(work, demand)
        timeout = None if work.retry is None else work.retry.timeout
        if timeout is None:
            return parts
        seconds = np.maximum(_total(parts, self.speed), timeout)
        return {part: value * (timeout / seconds) for part, value in parts.items()}

    def _parts(self, work: Work, demand: Demand) -> dict[Part, Floats]:
        """Return the seconds of each part of a demand, in arrays that broadcast to (items, samples).

        The seconds of `DECODE` are those at speed 1.
        """
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
    """Return the seconds of all parts together. `DECODE` is divided by the speed."""
    return sum((seconds / speed if part == Part.DECODE else seconds for part, seconds in parts.items()), _NONE)


def _paid_units(work: Work, demand: Demand, parts: Mapping[Part, Floats], active: Bools | None) -> Floats:
    """Return the units for which work is paid at one occurrence, in an array that broadcasts to (items, samples).

    The units are hours, if the work is paid by the hour. Otherwise they are tool calls, or answers of a person.

    parts : seconds of each part of the work, cut off at the timeout of an attempt
    active : mask (items, samples) that is true where the work is done; None: everywhere
    """
    person = work.kind == "human"
    if work.pay is None or not (work.pay.hourly or person):
        return demand.calls
    if work.pay.hourly:
        return parts.get(Part.PEOPLE if person else Part.TOOLS, _NONE) / 3600.0
    return np.ones((1, 1)) if active is None else active.astype(float)


def _over_items(values: Floats, items: int) -> Floats:
    """Return the sum of `values` over all items, (samples,).

    values : array that broadcasts to (items, samples)
    """
    total: Floats = values.sum(0) * (1 if len(values) == items else items)
    return total


def length(tasks: slice) -> int:
    """Return the number of tasks in a slice."""
    return len(range(tasks.start, tasks.stop, tasks.step))


def _span(tasks: NDArray[np.int32]) -> slice:
    """Return the slice that contains these tasks. The task numbers must be evenly spaced."""
    step = int(tasks[1] - tasks[0]) if len(tasks) > 1 else 1
    return slice(int(tasks[0]), int(tasks[-1]) + 1, step)
