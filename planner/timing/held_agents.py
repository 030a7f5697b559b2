"""Schedules in; the time for which agents are held, how often they are seized, and the pay of crews out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.task_graph import TaskGraph

Ticks = NDArray[np.int64]


class HeldAgents:
    """The tasks that seize and release the agents of some pools.

    pools : numbers of the pools; None: all pools of the graph
    """

    def __init__(self, graph: Graph, pools: Sequence[int] | None = None) -> None:
        chosen = range(len(graph.capacity)) if pools is None else pools
        self.races = _Races(graph) if len(graph.race_lo) else None
        self.seizing = [np.flatnonzero(graph.acquire == pool) for pool in chosen]
        self.releasing = [np.flatnonzero(graph.release == pool) for pool in chosen]

    def ticks(self, durations: Floats, schedule: Schedule) -> list[Ticks]:
        """Return for each pool an array (S,): for each sample, the ticks for which agents of the pool are held.

        Each number is `sum of ends - sum of starts`, modulo 2⁶⁴. It is exact below 2⁶³ ticks, even if one of
        the two sums is larger. When a race ends, its copies release all agents that they hold.
        """
        ran = _ran(durations, schedule)
        race_ends = self.races.ends(schedule) if self.races is not None else None
        ticks = []
        for seizing, releasing in zip(self.seizing, self.releasing, strict=True):
            held = _sum(schedule.ends, releasing, ran) - _sum(schedule.starts, seizing, ran)
            if race_ends is not None:
                held += _sum(race_ends, seizing, ran) - _sum(race_ends, releasing, ran)
            ticks.append(held)
        return ticks

    def seizures(self, durations: Floats, schedule: Schedule) -> list[Ticks]:
        """Return for each pool an array (S,): for each sample, how often an agent of the pool is seized."""
        ran = _ran(durations, schedule)
        return [ran[:, seizing].sum(1) for seizing in self.seizing]


def crew_usd(graph: TaskGraph, kernel_graph: Graph, durations: Floats, schedule: Schedule) -> dict[str, Floats]:
    """Return the cost of each paid crew in each of S samples in US dollars: arrays (S,).

    kernel_graph : graph with the numbers of agents of the schedule
    durations : durations of tasks in seconds, (S, tasks)
    schedule : schedule with recorded starts and ends
    """
    costs: dict[str, Floats] = {}
    for name, crew in graph.paid_crews.items():
        assert crew.usd is not None
        pools = [pool for pool, other in enumerate(graph.pools) if other == name]
        if crew.paid == "always":
            agents = sum(int(kernel_graph.capacity[pool]) for pool in pools) if pools else graph.sizes[name]
            units: Floats = agents * schedule.makespan / 3600.0
        else:
            held = HeldAgents(kernel_graph, pools)
            ticks = held.ticks(durations, schedule) if crew.usd.hourly else held.seizures(durations, schedule)
            unit = TICK / 3600.0 if crew.usd.hourly else 1.0
            units = np.asarray(unit * sum(ticks, np.zeros(len(durations))))
        costs[name] = float(crew.usd.usd) * units
    return costs


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
    """Add up the starts or the ends of those tasks that ran. Return an array (S,): a sum in ticks for each sample.

    seconds : starts or ends of all n tasks, in seconds: an array (S, n)
    tasks : numbers of the tasks to include in a sum
    ran : array (S, n): whether each task ran
    """
    values = np.where(ran[:, tasks], seconds[:, tasks], 0.0) / TICK
    return np.asarray(values.astype(np.int64).sum(1))


def _ran(durations: Floats, schedule: Schedule) -> NDArray[np.bool_]:
    """Return an array (S, n): whether each task ran. Skipped tasks and tasks that never started did not run."""
    return np.asarray((durations >= 0) & ~np.isnan(schedule.starts))
