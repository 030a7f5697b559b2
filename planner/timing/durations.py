"""A task graph, its demands and profiles in; seconds of every task, tokens and cost out, for a slice of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.engine.simulation import LONGEST, round_to_ticks
from planner.errors import InputError, Problem
from planner.expansion.draw.demand import Demand, Layers, nothing
from planner.expansion.draw.demand_draws import DemandCache, DemandDraws, Traces
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.timing.service import ServiceTimes, serving_traits

PARTS = ("decode", "prefill", "ttft", "tools", "people", "coordination")
"""What the time of a task is made of. Coordination is all the time of its mechanisms."""

SKIPPED = -1.0
"""The duration of a task that is left out."""

_NONE: Floats = np.zeros((1, 1))
DECODE, PREFILL, TTFT, TOOLS, PEOPLE, COORDINATION = range(6)


@dataclass(frozen=True, eq=False)
class SampleDemands:
    """The samples of a slice, and the demands that are drawn for them already."""

    samples: Samples
    layers: Layers
    known: DemandCache = field(default_factory=dict)
    traces: Traces | None = None


@dataclass(frozen=True, eq=False)
class OccurrenceTimes:
    """An occurrence of a work, for all items.

    tasks : its tasks
    fixed, decode : seconds that do not and that do shrink with speed
    billed : (5, rows, S) as in `WorkTotals.billed`; kept where it may be cancelled
    done : (rows, S) where it is done; kept with `billed`
    wait : seconds of `fixed` that pass before it begins
    """

    tasks: slice
    fixed: Floats
    decode: Floats
    billed: Floats | None = None
    done: Floats | None = None
    wait: Floats = field(default_factory=nothing)


@dataclass(frozen=True, eq=False)
class WorkTotals:
    """Of one work over all its occurrences, as if nothing were cancelled.

    done : (S,) how many of them are done
    billed : (5, S) tokens: input, input written to a cache, read from a cache, output; and calls of tools
    pieces : of each occurrence, if asked for or if it may be cancelled
    """

    work: Work
    done: Floats
    billed: Floats
    pieces: list[OccurrenceTimes]


@dataclass(frozen=True, eq=False)
class TaskTimes:
    """Seconds of n tasks in S samples: task and part take ``fixed + decode / speed``.

    fixed, decode : (parts, n, S), where parts are `PARTS`, or (all else, coordination)
    skipped : tasks that a condition leaves out, and where it does
    patience, away : (S, rows of the graph's `since`) seconds of people who leave
    works : totals of each work
    accepted : (S,) where no failure is left over
    largest : model → (S,) most tokens of prompt and output in one request
    """

    fixed: Floats
    decode: Floats
    skipped: tuple[tuple[slice, Bools], ...]
    patience: Floats
    away: Floats
    works: tuple[WorkTotals, ...]
    accepted: Bools
    largest: Mapping[str, Floats]

    @cached_property
    def _whole(self) -> tuple[Floats, Floats]:
        """(S, n) `fixed` and `decode`, all parts together; −∞ in the first where a task is skipped."""
        fixed, decode = (np.ascontiguousarray(parts.sum(0).T) for parts in (self.fixed, self.decode))
        for tasks, left_out in self.skipped:
            fixed[:, tasks][np.broadcast_to(left_out, (length(tasks), len(fixed))).T] = -np.inf
        return fixed, decode

    def durations(self, speed: float) -> Floats:
        """(S, n) seconds in ticks. Raises InputError for a task longer than the clock can hold."""
        fixed, decode = self._whole
        seconds = decode / speed
        seconds += fixed
        if not np.all(seconds < LONGEST) or not np.all(self.away < LONGEST):
            hint = "raise the slowest speed, or lower the tokens or the time of the longest step"
            raise InputError([Problem("too-large", f"a task takes over {LONGEST / 86400 / 365:.0f} years", None, hint)])
        return np.maximum(round_to_ticks(seconds), SKIPPED, out=seconds)

    @cached_property
    def coordinating(self) -> NDArray[np.intp]:
        """Tasks whose coordination takes time, where parts are (all else, coordination)."""
        return np.flatnonzero((self.fixed[1] != 0).any(1) | (self.decode[1] != 0).any(1))

    def coordination(self, speed: float) -> Floats:
        """(S, coordinating) seconds, in ticks."""
        tasks = self.coordinating
        return round_to_ticks(np.ascontiguousarray((self.fixed[1][tasks] + self.decode[1][tasks] / speed).T))

    def part(self, part: int, speed: float) -> Floats:
        """(S, n) seconds of one part."""
        seconds: Floats = self.fixed[part] + self.decode[part] / speed
        return seconds.T


def task_times(
    graph: TaskGraph, served: Mapping[str, ServiceTimes], draws: SampleDemands, speed: float, detailed: bool = False
) -> TaskTimes:
    """What every task takes.

    served : of each model
    speed : at which attempts have timeouts; without timeouts it makes no difference
    detailed : tell all `PARTS` apart, and keep the pieces of each work
    """
    samples = draws.samples
    n, width = len(graph.graph), len(samples)
    drawing = DemandDraws(
        samples, draws.layers, graph, {name: serving_traits(by.profile) for name, by in served.items()},
        lambda work, demand: _lasting(_seconds(work, demand, _server(work, served)), speed), draws.known, draws.traces,
    )  # fmt: skip
    parts = len(PARTS) if detailed else 1 + any(mark.subject.coordination for mark in graph.works)
    fixed, decode = np.zeros((parts, n, width)), np.zeros((parts, n, width))
    largest = {name: np.zeros(width) for name in served}
    patience, away = (np.zeros((width, len(graph.graph.since))) for _ in range(2))
    works = []
    for mark in graph.works:
        work, by = mark.subject, _server(mark.subject, served)
        totals = WorkTotals(work, np.zeros(width), np.zeros((5, width)), [])
        for tasks, demand, active in drawing.demands(mark):
            rows, where = len(tasks), _span(tasks)
            totals.done[:] += rows if active is None else _sum(active.astype(float), rows)
            seconds = _seconds(work, demand, by)
            if work.retry is not None:
                seconds = _attempt(seconds, demand.wait, work.retry.timeout, speed)
            for part, value in seconds.items():
                column = part if detailed else 0
                if work.coordination:
                    column = COORDINATION if detailed else 1
                (decode if part == DECODE else fixed)[column, where] += value
            raced = bool(graph.raced[where].any())
            billed = (
                demand.input - demand.written, demand.written, demand.cache_read, demand.output, demand.calls
            )  # fmt: skip
            if by is not None or work.usd is not None:
                for row, value in enumerate(billed):
                    totals.billed[row] += _sum(value, rows)
            if by is not None:
                np.maximum(largest[by.profile.name], demand.largest.max(0), out=largest[by.profile.name])
            if detailed or raced:
                others = sum((value for part, value in seconds.items() if part != DECODE), _NONE)
                piece = OccurrenceTimes(where, others, seconds.get(DECODE, _NONE), wait=demand.wait)
                if raced:
                    kept = np.stack([np.broadcast_to(value, (rows, width)) for value in billed])
                    done = np.broadcast_to(1.0 if active is None else active.astype(float), (rows, width))
                    piece = replace(piece, billed=kept, done=done)
                totals.pieces.append(piece)
        for tasks, before_leaving, back in drawing.context_switches(mark):
            leaving = graph.graph.leave[tasks]
            patience[:, leaving] = before_leaving.T
            away[:, leaving] = back.T
        works.append(totals)
    skipped = tuple((_span(tasks), left_out) for mark in graph.skips for tasks, left_out in drawing.skipped(mark))
    return TaskTimes(
        fixed, decode, skipped, patience, round_to_ticks(away), tuple(works), drawing.accepted(), largest
    )  # fmt: skip


def _server(work: Work, served: Mapping[str, ServiceTimes]) -> ServiceTimes | None:
    return served[work.model] if work.model is not None else None


def _lasting(seconds: Mapping[int, Floats], speed: float) -> Floats:
    """All parts together."""
    return sum((value / speed if part == DECODE else value for part, value in seconds.items()), _NONE)


def _attempt(seconds: dict[int, Floats], wait: Floats, timeout: float | None, speed: float) -> dict[int, Floats]:
    """Parts of an attempt: cut where it would take longer than its timeout, and the wait before it."""
    if timeout is not None:
        lasting = np.maximum(_lasting(seconds, speed), timeout)
        seconds = {part: value * (timeout / lasting) for part, value in seconds.items()}
    if np.any(wait):
        seconds[TOOLS] = seconds.get(TOOLS, _NONE) + wait
    return seconds


def _seconds(work: Work, demand: Demand, by: ServiceTimes | None) -> dict[int, Floats]:
    """Seconds of each part, (rows, samples) or what broadcasts to it."""
    found = {}
    if np.any(demand.seconds):
        found[PEOPLE if work.kind == "human" else TOOLS] = demand.seconds
    if by is not None:
        found[TTFT] = demand.requests * by.ttft
        found[DECODE] = demand.decode * by.decode
        if by.profile.prefill_speed is not None:
            found[PREFILL] = demand.prefill * by.prefill
    return found


def _sum(values: Floats, rows: int) -> Floats:
    """Sum over items of what broadcasts to (rows, samples)."""
    total: Floats = values.sum(0) * (1 if len(values) == rows else rows)
    return total


def length(tasks: slice) -> int:
    """How many tasks a slice has."""
    return len(range(tasks.start, tasks.stop, tasks.step))


def _span(tasks: NDArray[np.int32]) -> slice:
    """The same tasks as a slice: items follow each other at equal distances."""
    step = int(tasks[1] - tasks[0]) if len(tasks) > 1 else 1
    return slice(int(tasks[0]), int(tasks[-1]) + 1, step)
