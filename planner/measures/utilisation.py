"""A schedule in; the share of time that agents and slots are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.fragments import LIMIT, RAMPED_UP
from planner.expansion.graph.task_graph import LIMITED
from planner.measures.moments import Mean, Moments

Ticks = NDArray[np.int64]

_SHARE = 2.0**-40
"""Unit of shares: whole multiples of it sum exactly, in any order."""


@dataclass(frozen=True)
class Utilisation:
    """How busy the agents of a crew, the lead, a crew's merge queue, or the slots of LangGraph graphs are.

    name : of the crew; ``lead``; the crew's followed by ``: merge``; or `LIMITED`, for all graphs together
    agents : of the crew, or slots of each graph
    utilisation : agent-seconds held over (agents × completion time), mean over samples. An agent is held from the task
        that seizes it to the task that releases it, even if nothing runs in between.
    waiting : seconds of the critical path spent waiting for one of several agents
    """

    name: str
    agents: int
    utilisation: Mean
    waiting: Mean


class Usage:
    """Sums over samples of how long each pool is held, and how long the critical path waits for it.

    groups : pools by name; pools of the same name count together
    """

    def __init__(self, graph: Graph, pools: Sequence[str]) -> None:
        self.groups = {
            name: [pool for pool, other in enumerate(pools) if other == name] for name in dict.fromkeys(pools)
        }
        self.sizes = [int(graph.capacity[group[0]]) for group in self.groups.values()]
        self.races = _Races(graph) if len(graph.race_lo) else None
        self.seizing = [np.flatnonzero(graph.acquire == pool) for pool in range(len(graph.capacity))]
        self.releasing = [np.flatnonzero(graph.release == pool) for pool in range(len(graph.capacity))]
        self.held = [Moments(_SHARE) for _ in self.groups]
        self.waiting = [Moments(TICK) for _ in self.groups]

    def plus(self, other: Usage) -> None:
        """Add the samples of another, of the same graph."""
        for mine, others in zip((*self.held, *self.waiting), (*other.held, *other.waiting), strict=True):
            mine.plus(others)

    def results(self) -> tuple[Utilisation, ...]:
        """Utilisation of the pools that any task needs."""
        return tuple(
            Utilisation(LIMITED if name == LIMIT else name, size, held.mean(), waiting.mean())
            for (name, group), size, held, waiting in zip(
                self.groups.items(), self.sizes, self.held, self.waiting, strict=True
            )
            if any(len(self.seizing[pool]) for pool in group) and name != RAMPED_UP
        )

    def add(self, graph: Graph, durations: Floats, schedule: Schedule) -> None:
        """Add samples whose schedule is traced and recorded."""
        makespan = schedule.makespan / TICK
        held, waited = self.agent_ticks(durations, schedule), waits(graph, schedule)
        for group, shares, seconds in zip(self.groups.values(), self.held, self.waiting, strict=True):
            agents = float(graph.capacity[group].sum())
            ticks = sum((held[pool] for pool in group), np.zeros(len(makespan), np.int64))
            shares.add(np.where(makespan > 0, ticks / np.where(makespan > 0, agents * makespan, 1.0), 0.0))
            seconds.add(sum((waited[pool] for pool in group), np.zeros(len(makespan))))

    def agent_ticks(self, durations: Floats, schedule: Schedule) -> list[Ticks]:
        """For each pool, return (S,) ticks for which its slots are held.

        They are sums of ends minus sums of starts, modulo 2⁶⁴: exact below 2⁶³ ticks, however large the sums. When a
        race ends, its copies release what they still hold.
        """
        ran = (durations >= 0) & ~np.isnan(schedule.starts)
        race_ends = self.races.ends(schedule) if self.races is not None else None
        ticks = []
        for seizing, releasing in zip(self.seizing, self.releasing, strict=True):
            held = _sum(schedule.ends, releasing, ran) - _sum(schedule.starts, seizing, ran)
            if race_ends is not None:
                held += _sum(race_ends, seizing, ran) - _sum(race_ends, releasing, ran)
            ticks.append(held)
        return ticks


class _Races:
    """The innermost race around each task."""

    def __init__(self, graph: Graph) -> None:
        count = len(graph.race_lo)
        self.innermost = np.full(len(graph), -1)
        self.outer = np.full(count, -1)
        for race in np.lexsort((-graph.race_hi, graph.race_lo)):  # outer races come first
            self.outer[race] = self.innermost[graph.race_lo[race]]
            self.innermost[graph.race_lo[race] : graph.race_hi[race]] = race
        exits = np.flatnonzero(graph.race >= 0)
        self.exits = exits[np.argsort(graph.race[exits], kind="stable")]
        self.first = np.searchsorted(graph.race[self.exits], np.arange(count))

    def ends(self, schedule: Schedule) -> Floats:
        """Return (S, n) when the race around each task ends, or 0 without a race.

        The winning copy may be counted too, because it releases all that it seizes.
        """
        ends = np.fmin.reduceat(schedule.ends[:, self.exits], self.first, axis=1)
        nested = np.flatnonzero(self.outer >= 0)
        while np.isnan(ends[:, nested]).any():  # a race cancelled before it began ends with its outer race
            before = ends[:, nested]
            ends[:, nested] = np.where(np.isnan(before), ends[:, self.outer[nested]], before)
            if np.array_equal(before, ends[:, nested], equal_nan=True):
                break
        ends = np.nan_to_num(np.column_stack([ends, np.zeros(len(ends))]))
        return np.asarray(ends[:, self.innermost])


def _sum(seconds: Floats, tasks: NDArray[np.intp], ran: NDArray[np.bool_]) -> Ticks:
    """Return the (S,) sum of times over those of the tasks that ran, in ticks."""
    values = np.where(ran[:, tasks], seconds[:, tasks], 0.0) / TICK
    return np.asarray(values.astype(np.int64).sum(1))


def waits(graph: Graph, schedule: Schedule) -> list[Floats]:
    """For each pool, return the (S,) seconds that tasks on the critical path wait for a slot of it.

    All pools together add up to `Schedule.waiting`.
    """
    seconds = np.zeros((len(graph.capacity), len(schedule.waiting)))
    for sample in np.flatnonzero(schedule.waiting > 0):
        for task, gap in gaps(schedule, int(sample)):
            seconds[graph.acquire[task], sample] += gap
    return list(seconds)


def gaps(schedule: Schedule, sample: int) -> list[tuple[int, float]]:
    """Return the waits on the critical path of a sample, in order: the waiting task, and seconds."""
    path = np.flatnonzero(schedule.critical[sample])
    starts, ends = schedule.starts[sample, path], schedule.ends[sample, path]
    order = np.lexsort((path, starts))
    ended = [0.0, *np.maximum.accumulate(ends[order]).tolist()]
    waiting = [(int(path[index]), float(starts[index]) - end) for index, end in zip(order, ended, strict=False)]
    return [(task, gap) for task, gap in waiting if gap > 0]
