"""A task graph, its demands and profiles in; seconds of every task, tokens and cost out, for a slice of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalogue.profile import Profile
from planner.engine.draws import Samples
from planner.engine.simulation import LONGEST, round_to_ticks
from planner.errors import InputError, Problem
from planner.expansion.demand import Demand, Draws, Service, drawn
from planner.expansion.task_graph import TaskGraph
from planner.expansion.work import Work

Floats = NDArray[np.float64]

PARTS = ("decode", "prefill", "ttft", "tools", "people", "coordination")
"""What the time of a task is made of. Coordination is all the time of its mechanisms."""

SKIPPED = -1.0
"""The duration of a task that is left out."""

Bools = NDArray[np.bool_]
_NONE: Floats = np.zeros((1, 1))
_IDLE = Service()
DECODE, PREFILL, TTFT, TOOLS, PEOPLE, COORDINATION = range(6)


@dataclass(frozen=True, eq=False)
class Served:
    """A profile at the level it has in each sample: (1, samples), or (1, 1) where it is known exactly."""

    profile: Profile
    ttft: Floats
    prefill: Floats
    decode: Floats

    @classmethod
    def of(cls, profile: Profile, samples: Samples) -> Served:
        """`prefill` and `decode` are seconds per token."""
        path = f"models/{profile.root}"
        prefill = (
            np.zeros((1, 1))
            if profile.prefill_speed is None
            else 1.0 / drawn(profile.prefill_speed, samples, 1, path, "prefill_speed")
        )
        return cls(
            profile,
            drawn(profile.ttft, samples, 1, path, "ttft"),
            prefill,
            1.0 / drawn(profile.output_speed, samples, 1, path, "output_speed"),
        )

    @property
    def service(self) -> Service:
        return Service(self.profile.jitter, self.profile.caches, self.profile.cache_ttl)


@dataclass(frozen=True, eq=False)
class Totals:
    """Of one work over all its occurrences.

    done : (S,) how many of them are done
    tokens : (4, S) as billed: input, input written to a cache, read from a cache, output
    pieces : of each occurrence, if asked for: its tasks, and seconds that do not and that do shrink with speed
    """

    work: Work
    done: Floats
    tokens: Floats
    pieces: list[tuple[slice, Floats, Floats]]


@dataclass(frozen=True, eq=False)
class Times:
    """Seconds of n tasks in S samples: task and part take ``fixed + decode / speed``.

    fixed, decode : (parts, n, S), where parts are `PARTS`, or (all else, coordination)
    skipped : tasks that a condition leaves out, and where it does
    works : totals of each work
    tokens : (4, S) as in `Totals`, of all works
    usd : (S,), or None where a price is unknown
    largest : model → (S,) most tokens of prompt and output in one request
    """

    fixed: Floats
    decode: Floats
    skipped: tuple[tuple[slice, Bools], ...]
    works: tuple[Totals, ...]
    tokens: Floats
    usd: Floats | None
    largest: Mapping[str, Floats]

    def durations(self, speed: float) -> Floats:
        """(S, n) seconds in ticks. Raises InputError for a task longer than the clock can hold."""
        seconds = np.ascontiguousarray((self.fixed.sum(0) + self.decode.sum(0) / speed).T)
        if not np.all(seconds < LONGEST):
            hint = "raise the slowest speed, or lower the tokens or the time of the longest step"
            raise InputError([Problem("too-large", f"a task takes over {LONGEST / 86400 / 365:.0f} years", None, hint)])
        round_to_ticks(seconds)
        for tasks, left_out in self.skipped:
            seconds[:, tasks][np.broadcast_to(left_out, (_length(tasks), len(seconds))).T] = SKIPPED
        return seconds

    def part(self, part: int, speed: float) -> Floats:
        """(S, n) seconds of one part."""
        seconds: Floats = self.fixed[part] + self.decode[part] / speed
        return seconds.T


def times(graph: TaskGraph, served: Mapping[str, Served], draws: Draws, detailed: bool = False) -> Times:
    """What every task takes.

    served : of each model
    detailed : tell all `PARTS` apart, and keep the pieces of each work
    """
    n, width = len(graph.graph), len(draws.samples)
    coordinated = any(mark.what.coordination for mark in graph.works)
    parts = len(PARTS) if detailed else 1 + coordinated
    fixed, decode = np.zeros((parts, n, width)), np.zeros((parts, n, width))
    largest = {name: np.zeros(width) for name in served}
    works = []
    for mark in graph.works:
        work = mark.what
        by = served[work.model] if work.model is not None else None
        reads = served[work.reads.model] if work.reads and work.reads.model else None
        totals = Totals(work, np.zeros(width), np.zeros((4, width)), [])
        for tasks, demand, active in draws.of(mark, by.service if by else _IDLE, reads.service if reads else _IDLE):
            rows, where = len(tasks), _span(tasks)
            totals.done[:] += rows if active is None else _sum(active.astype(float), rows)
            seconds = _seconds(work, demand, by)
            for part, value in seconds.items():
                column = part if detailed else 0
                if work.coordination:
                    column = COORDINATION if detailed else 1
                (decode if part == DECODE else fixed)[column, where] += value
            if detailed:
                others = sum((value for part, value in seconds.items() if part != DECODE), _NONE)
                totals.pieces.append((where, others, seconds.get(DECODE, _NONE)))
            if by is not None:
                billed = (demand.input - demand.written, demand.written, demand.cache_read, demand.output)
                for row, value in enumerate(billed):
                    totals.tokens[row] += _sum(value, rows)
                np.maximum(largest[by.profile.name], demand.largest.max(0), out=largest[by.profile.name])
        works.append(totals)
    tokens = sum((totals.tokens for totals in works), np.zeros((4, width)))
    skipped = tuple((_span(tasks), left_out) for mark in graph.skips for tasks, left_out in draws.skipped(mark))
    return Times(fixed, decode, skipped, tuple(works), tokens, _usd(works, served, width), largest)


def _usd(works: Sequence[Totals], served: Mapping[str, Served], width: int) -> Floats | None:
    """Cost of all works: whole tokens are summed before they are priced, so that no order of summing shows."""
    cost = np.zeros(width)
    for totals in works:
        if totals.work.model is not None:
            price = served[totals.work.model].profile.price
            if price is None:
                return None
            cost += price.usd(*totals.tokens)
    return cost


def _seconds(work: Work, demand: Demand, by: Served | None) -> dict[int, Floats]:
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


def _length(tasks: slice) -> int:
    return len(range(tasks.start, tasks.stop, tasks.step))


def _span(tasks: NDArray[np.int32]) -> slice:
    """The same tasks as a slice: items follow each other at equal distances."""
    step = int(tasks[1] - tasks[0]) if len(tasks) > 1 else 1
    return slice(int(tasks[0]), int(tasks[-1]) + 1, step)
