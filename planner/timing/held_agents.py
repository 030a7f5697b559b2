"""Schedules in; the time for which agents are held, how often they are seized, and the pay of crews out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.task_graph import Arrivals, TaskGraph

Ticks = NDArray[np.int64]


class HeldAgents:
    """The tasks that seize and release the agents of some pools.

    An agent who has not arrived is not held. The `stagger` of a crew delays arrivals.

    pools : numbers of the pools; None: all pools of the graph
    arrivals : tasks by which agents arrive late, and their delays; None: all agents are there from the beginning
    """

    def __init__(self, graph: Graph, arrivals: Arrivals | None = None, pools: Sequence[int] | None = None) -> None:
        chosen = range(len(graph.capacity)) if pools is None else pools
        self.races = _Races(graph) if len(graph.race_lo) else None
        self.seizing = [np.flatnonzero(graph.acquire == pool) for pool in chosen]
        self.releasing = [np.flatnonzero(graph.release == pool) for pool in chosen]
        delays, idle = np.zeros(len(graph)), np.zeros(len(graph), bool)
        if arrivals is not None:
            delays[arrivals.tasks], idle[arrivals.tasks] = arrivals.seconds, arrivals.idle
        self.late = [seizing[delays[seizing] > 0] for seizing in self.seizing]
        self.delays = [_in_ticks(delays[late]) for late in self.late]
        self.working = [seizing[~idle[seizing]] for seizing in self.seizing]

    def held_ticks(self, durations: Floats, schedule: Schedule) -> list[Ticks]:
        """Return for each pool an array (S,): for each sample, the time for which agents of the pool are held.

        The times of all agents of a pool are added up, in ticks of the clock. They are exact below 2⁶³ ticks. When a
        race ends, its copies release all agents that they hold.
        """
        ran = _ran(durations, schedule)
        race_ends = self.races.ends(schedule) if self.races is not None else None
        ticks = []
        for pool, (seizing, releasing) in enumerate(zip(self.seizing, self.releasing, strict=True)):
            held = _sum(schedule.ends, releasing, ran) - _sum(schedule.starts, seizing, ran)
            held -= self._delayed(schedule, pool, ran)
            if race_ends is not None:
                held += _sum(race_ends, seizing, ran) - _sum(race_ends, releasing, ran)
            ticks.append(held)
        return ticks

    def seizures(self, durations: Floats, schedule: Schedule) -> list[Ticks]:
        """Return for each pool an array (S,): for each sample, how often an agent of the pool is seized.

        A task by which an agent only arrives is not counted. It is counted if the agent also ramps up in it.
        """
        ran = _ran(durations, schedule)
        return [ran[:, working].sum(1) for working in self.working]

    def _delayed(self, schedule: Schedule, pool: int, ran: NDArray[np.bool_]) -> Ticks:
        """Return an array (S,): for each sample, the time before the late agents of a pool arrive, added up in ticks.

        If a race ends before an agent arrives, this agent's time ends with the race.
        """
        late = self.late[pool]
        lasted = np.where(ran[:, late], schedule.ends[:, late] - schedule.starts[:, late], 0.0)
        return np.asarray(np.minimum(_in_ticks(lasted), self.delays[pool]).sum(1))


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
            held = HeldAgents(kernel_graph, graph.arrivals, pools)
            ticks = held.held_ticks(durations, schedule) if crew.usd.hourly else held.seizures(durations, schedule)
            unit = TICK / 3600.0 if crew.usd.hourly else 1.0
            units = np.asarray(unit * sum(ticks, np.zeros(len(durations))))
        costs[name] = float(crew.usd.usd) * units
    return costs


class _Races:
    """The races of a graph, and the innermost race that contains each task."""

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
        """Return an array (S, n) for S samples and n tasks: the end time of the innermost race that contains the task.

        If no race contains the task, the time is 0.
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


def _in_ticks(seconds: Floats) -> Ticks:
    return np.rint(seconds / TICK).astype(np.int64)


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
