"""Schedules in, utilisation out: how busy agents and slots are, and how long the critical path waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.moments import Mean, Moments
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.fragments import LIMIT, RAMPED_UP
from planner.expansion.graph.task_graph import LIMITED

Ticks = NDArray[np.int64]

_SHARE = 2.0**-40
"""Unit of shares. Whole multiples of it add up exactly, in any order."""


@dataclass(frozen=True)
class Utilisation:
    """Utilisation of a crew's agents, of the lead, of a crew's merge queue, or of LangGraph's slots.

    name : name of the crew; ``lead``; name of the crew followed by ``: merge``; or `LIMITED` for LangGraph's slots
    agents : number of agents of the crew, or of slots of each graph
    utilisation : mean over samples of `seconds held / (agents * completion time)`. An agent is held until a task
        releases the agent, even if nothing runs
    waiting : mean seconds for which the critical path waits for a free agent; 0 for a single agent
    """

    name: str
    agents: int
    utilisation: Mean
    waiting: Mean


class Usage:
    """For each pool, sums over samples: seconds for which slots are held, and seconds of waiting on the critical path.

    groups : name → indices of the pools with this name. Pools with the same name are counted together
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
        """Add the samples of another `Usage` of the same graph."""
        for mine, others in zip((*self.held, *self.waiting), (*other.held, *other.waiting), strict=True):
            mine.plus(others)

    def results(self) -> tuple[Utilisation, ...]:
        """Return the utilisation of each group of pools. The group `RAMPED_UP` is left out.

        A group is also left out if no task seizes its slots.
        """
        return tuple(
            Utilisation(LIMITED if name == LIMIT else name, size, held.mean(), waiting.mean())
            for (name, group), size, held, waiting in zip(
                self.groups.items(), self.sizes, self.held, self.waiting, strict=True
            )
            if any(len(self.seizing[pool]) for pool in group) and name != RAMPED_UP
        )

    def add(self, graph: Graph, durations: Floats, schedule: Schedule) -> None:
        """Add samples. Their `schedule` must come from `simulate` with the options `traced` and `recorded`."""
        makespan = schedule.makespan / TICK
        held, waited = self.agent_ticks(durations, schedule), waits(graph, schedule)
        for group, shares, seconds in zip(self.groups.values(), self.held, self.waiting, strict=True):
            agents = float(graph.capacity[group].sum())
            ticks = sum((held[pool] for pool in group), np.zeros(len(makespan), np.int64))
            shares.add(np.where(makespan > 0, ticks / np.where(makespan > 0, agents * makespan, 1.0), 0.0))
            seconds.add(sum((waited[pool] for pool in group), np.zeros(len(makespan))))

    def agent_ticks(self, durations: Floats, schedule: Schedule) -> list[Ticks]:
        """Return for each pool an array (S,): for each sample, the ticks for which slots of the pool are held.

        Each number is `sum of ends - sum of starts`, modulo 2⁶⁴. It is exact below 2⁶³ ticks, even if a sum is larger.
        When a race ends, its copies release all slots that they hold.
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
    """The races of a graph, and the innermost race around each task."""

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
        """Return an array (S, n) for S samples and n tasks: the time at which the innermost race around a task ends.

        The time is 0 if the task is not in a race.
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
    """Return an array (S,): for each sample, the sum of `seconds` over tasks that ran, in ticks.

    seconds : array (S, n) for all n tasks
    tasks : numbers of the tasks to include in the sum
    ran : array (S, n): whether each task ran
    """
    values = np.where(ran[:, tasks], seconds[:, tasks], 0.0) / TICK
    return np.asarray(values.astype(np.int64).sum(1))


def waits(graph: Graph, schedule: Schedule) -> list[Floats]:
    """Return for each pool an array (S,): for each sample, the seconds for which the critical path waits for the pool.

    The seconds of all pools add up to `Schedule.waiting`.
    """
    seconds = np.zeros((len(graph.capacity), len(schedule.waiting)))
    for sample in np.flatnonzero(schedule.waiting > 0):
        for task, gap in gaps(schedule, int(sample)):
            seconds[graph.acquire[task], sample] += gap
    return list(seconds)


def gaps(schedule: Schedule, sample: int) -> list[tuple[int, float]]:
    """Return the waits on the critical path of a sample, in order: for each wait, the waiting task and the seconds."""
    path = np.flatnonzero(schedule.critical[sample])
    starts, ends = schedule.starts[sample, path], schedule.ends[sample, path]
    order = np.lexsort((path, starts))
    ended = [0.0, *np.maximum.accumulate(ends[order]).tolist()]
    waiting = [(int(path[index]), float(starts[index]) - end) for index, end in zip(order, ended, strict=False)]
    return [(task, gap) for task, gap in waiting if gap > 0]
