"""A task graph, its demands and profiles in; seconds of every task, tokens and cost out, for a slice of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalogue.profile import Profile
from planner.engine.draws import Samples
from planner.engine.simulation import LONGEST, round_to_ticks
from planner.errors import InputError, Problem
from planner.expansion.demand import Demand, Draws, Service, drawn
from planner.expansion.expand import TaskGraph
from planner.expansion.fragments import Work

Floats = NDArray[np.float64]

PARTS = ("decode", "prefill", "ttft", "tools", "people", "coordination")
"""What the time of a task is made of. Coordination is all the time of its mechanisms."""

_NONE: Floats = np.zeros((1, 1))
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

    def usd(self, demand: Demand) -> Floats:
        """US dollars of a demand; a missing price counts as 0 here and makes the whole cost unknown."""
        price = self.profile.price
        if price is None:
            return np.zeros((1, 1))
        read = price.input if price.cache_read is None else price.cache_read
        write = price.input if price.cache_write is None else price.cache_write
        unwritten = demand.input - demand.written
        dollars = (
            unwritten * float(price.input)
            + demand.written * float(write)
            + demand.cache_read * float(read)
            + demand.output * float(price.output)
        )
        return np.asarray(dollars / 1e6)


@dataclass(frozen=True, eq=False)
class StepTotals:
    """Of one work over all its occurrences: tokens (3, S) and US dollars (S,).

    pieces : of each occurrence: its tasks, and seconds at speed 1 that do not and that do shrink with speed
    """

    work: Work
    occurrences: int
    pieces: list[tuple[slice, Floats, Floats]]
    tokens: Floats
    usd: Floats

    def seconds(self, speed: float, samples: slice, critical: NDArray[np.int8] | None = None) -> float:
        """Seconds over these samples; only those on the critical path, (S, n), if it is given."""
        total = 0.0
        for tasks, fixed, decode in self.pieces:
            width, rows = self.usd.size, len(range(tasks.start, tasks.stop, tasks.step))
            seconds = np.broadcast_to(fixed + decode / speed, (rows, width))[:, samples]
            total += float(seconds.sum() if critical is None else np.einsum("rs,sr->", seconds, critical[:, tasks]))
        return total


@dataclass(frozen=True, eq=False)
class Times:
    """Seconds of n tasks in S samples: task and part take ``fixed + decode / speed``.

    fixed, decode : (parts, n, S), where parts are `PARTS`, or (all else, coordination)
    tokens : (3, S) input, cache read, output
    usd : (S,), or None where a price is unknown
    largest : model → (S,) most tokens of prompt and output in one request
    steps : totals of each work, if they were asked for
    """

    fixed: Floats
    decode: Floats
    tokens: Floats
    usd: Floats | None
    largest: Mapping[str, Floats]
    steps: tuple[StepTotals, ...]

    def durations(self, speed: float) -> Floats:
        """(S, n) seconds in ticks. Raises InputError for a task longer than the clock can hold."""
        seconds = np.ascontiguousarray((self.fixed.sum(0) + self.decode.sum(0) / speed).T)
        if not np.all(seconds < LONGEST):
            hint = "raise the slowest speed, or lower the tokens or the time of the longest step"
            raise InputError([Problem("too-large", f"a task takes over {LONGEST / 86400 / 365:.0f} years", None, hint)])
        return round_to_ticks(seconds)

    def part(self, part: int, speed: float) -> Floats:
        """(S, n) seconds of one part."""
        seconds: Floats = self.fixed[part] + self.decode[part] / speed
        return seconds.T


def times(graph: TaskGraph, served: Mapping[str, Served], draws: Draws, detailed: bool = False) -> Times:
    """What every task takes.

    served : of each model
    detailed : tell all `PARTS` apart, and keep totals for each work
    """
    n, width = len(graph.graph), len(draws.samples)
    coordinated = any(placed.work.coordination for placed in graph.placed)
    parts = len(PARTS) if detailed else 1 + coordinated
    fixed, decode = np.zeros((parts, n, width)), np.zeros((parts, n, width))
    tokens, usd = np.zeros((3, width)), np.zeros(width)
    priced, largest, totals = True, {name: np.zeros(width) for name in served}, []
    idle = Service()
    for placed in graph.placed:
        work = placed.work
        by = served[work.model] if work.model is not None else None
        total = StepTotals(work, placed.tasks.size, [], np.zeros((3, width)), np.zeros(width))
        briefs = served[work.reads.model].service if work.reads and work.reads.model else idle
        for tasks, demand in draws.of(placed, by.service if by else idle, briefs):
            rows = len(tasks)
            seconds, where = _seconds(work, demand, by), _span(tasks)
            for part, value in seconds.items():
                into = decode if part == DECODE else fixed
                if work.coordination:
                    into[COORDINATION if detailed else 1, where] += value
                else:
                    into[part if detailed else 0, where] += value
            if detailed:
                total.pieces.append(
                    (
                        where,
                        sum((value for part, value in seconds.items() if part != DECODE), _NONE),
                        seconds.get(DECODE, _NONE),
                    )
                )
            if by is None:
                continue
            spent = np.stack(
                np.broadcast_arrays(*(_sum(value, rows) for value in (demand.input, demand.cache_read, demand.output)))
            )
            dollars = _sum(by.usd(demand), rows)
            tokens += spent
            usd += dollars
            priced &= by.profile.price is not None
            np.maximum(
                largest[by.profile.name],
                np.broadcast_to(demand.largest, (rows, demand.largest.shape[1])).max(0),
                out=largest[by.profile.name],
            )
            total.tokens[:] += spent
            total.usd[:] += dollars
        totals.append(total)
    return Times(fixed, decode, tokens, usd if priced else None, largest, tuple(totals) if detailed else ())


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


def _span(tasks: NDArray[np.int32]) -> slice:
    """The same tasks as a slice: items follow each other at equal distances."""
    step = int(tasks[1] - tasks[0]) if len(tasks) > 1 else 1
    return slice(int(tasks[0]), int(tasks[-1]) + 1, step)
