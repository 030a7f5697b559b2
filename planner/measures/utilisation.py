"""How busy agents and slots are: a graph and its schedule in, the share of their time that they are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.task_graph import LIMIT, LIMITED
from planner.measures.moments import Mean, Moments

Ticks = NDArray[np.int64]

_SHARE = 2.0**-40
"""Unit in which shares are summed, so that no order of summing shows."""


@dataclass(frozen=True)
class Utilisation:
    """Agents of a crew, the lead, the server of a crew's merges, or slots of LangGraph's graphs.

    name : of the crew; ``lead``; the crew's with ``: merge``; or `LIMITED`, of all graphs together
    agents : or slots in each graph
    utilisation : agent-seconds held over (agents · completion time), mean over samples. An agent is held from when a
        task takes it until one gives it back, also while nothing of what holds it runs.
    waiting : seconds of the critical path spent waiting for one of several agents
    """

    name: str
    agents: int
    utilisation: Mean
    waiting: Mean


class Usage:
    """Sums over samples of how long the slots of each pool are held, and are waited for on the critical path.

    groups : pools by their name: those of one name count together
    """

    def __init__(self, graph: Graph, pools: Sequence[str]) -> None:
        self.groups = {name: [at for at, other in enumerate(pools) if other == name] for name in dict.fromkeys(pools)}
        self.sizes = [int(graph.capacity[group[0]]) for group in self.groups.values()]
        self.races = _Races(graph) if len(graph.race_lo) else None
        self.takes = [np.flatnonzero(graph.acquire == pool) for pool in range(len(graph.capacity))]
        self.gives = [np.flatnonzero(graph.release == pool) for pool in range(len(graph.capacity))]
        self.held = [Moments(_SHARE) for _ in self.groups]
        self.waiting = [Moments(TICK) for _ in self.groups]

    def plus(self, other: Usage) -> None:
        """Add the samples of another, of the same graph."""
        for one, more in zip((*self.held, *self.waiting), (*other.held, *other.waiting), strict=True):
            one.plus(more)

    def results(self) -> tuple[Utilisation, ...]:
        """Of the pools that something needs."""
        return tuple(
            Utilisation(LIMITED if name == LIMIT else name, size, held.mean(), waiting.mean())
            for (name, group), size, held, waiting in zip(
                self.groups.items(), self.sizes, self.held, self.waiting, strict=True
            )
            if any(len(self.takes[pool]) for pool in group)
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
        """(S,) ticks for which slots of each pool are held.

        Sums of ends less starts, modulo 2⁶⁴: what comes out is exact below 2⁶³ ticks, however large the sums. What a
        copy of a race has taken, and not given back when the race ends, is given back then.
        """
        ran = (durations >= 0) & ~np.isnan(schedule.starts)
        cut = self.races.ends(schedule) if self.races is not None else None
        found = []
        for takes, gives in zip(self.takes, self.gives, strict=True):
            held = _sum(schedule.ends, gives, ran) - _sum(schedule.starts, takes, ran)
            if cut is not None:
                held += _sum(cut, takes, ran) - _sum(cut, gives, ran)
            found.append(held)
        return found


class _Races:
    """The innermost race around each task."""

    def __init__(self, graph: Graph) -> None:
        count = len(graph.race_lo)
        self.inner = np.full(len(graph), -1)
        self.around = np.full(count, -1)
        for race in np.lexsort((-graph.race_hi, graph.race_lo)):  # the outer one comes first
            self.around[race] = self.inner[graph.race_lo[race]]
            self.inner[graph.race_lo[race] : graph.race_hi[race]] = race
        exits = np.flatnonzero(graph.race >= 0)
        self.exits = exits[np.argsort(graph.race[exits], kind="stable")]
        self.first = np.searchsorted(graph.race[self.exits], np.arange(count))

    def ends(self, schedule: Schedule) -> Floats:
        """(S, n) when the race around each task ends; 0 where there is none.

        A copy gives back all that it takes, so that this may be counted for the copy that wins, too.
        """
        found = np.fmin.reduceat(schedule.ends[:, self.exits], self.first, axis=1)
        inside = np.flatnonzero(self.around >= 0)
        while np.isnan(found[:, inside]).any():  # cancelled before it began: with the race around it
            before = found[:, inside]
            found[:, inside] = np.where(np.isnan(before), found[:, self.around[inside]], before)
            if np.array_equal(before, found[:, inside], equal_nan=True):
                break
        found = np.nan_to_num(np.column_stack([found, np.zeros(len(found))]))
        return np.asarray(found[:, self.inner])


def _sum(seconds: Floats, tasks: NDArray[np.intp], ran: NDArray[np.bool_]) -> Ticks:
    """(S,) ticks, over those of the tasks that ran."""
    values = np.where(ran[:, tasks], seconds[:, tasks], 0.0) / TICK
    return np.asarray(values.astype(np.int64).sum(1))


def waits(graph: Graph, schedule: Schedule) -> list[Floats]:
    """Of each pool, (S,) seconds of the critical path between when a task became ready and when it got a slot of it.

    They add up to `Schedule.waiting`.
    """
    found = np.zeros((len(graph.capacity), len(schedule.waiting)))
    for sample in np.flatnonzero(schedule.waiting > 0):
        for task, gap in gaps(schedule, int(sample)):
            found[graph.acquire[task], sample] += gap
    return list(found)


def gaps(schedule: Schedule, sample: int) -> list[tuple[int, float]]:
    """Where the critical path of a sample waits: the task that does, and for how many seconds, in order."""
    path = np.flatnonzero(schedule.critical[sample])
    starts, ends = schedule.starts[sample, path], schedule.ends[sample, path]
    order = np.lexsort((path, starts))
    ended = [0.0, *np.maximum.accumulate(ends[order]).tolist()]
    found = [
        (int(path[at]), float(starts[at]) - before) for at, before in zip(order, ended, strict=False)
    ]  # fmt: skip
    return [(task, gap) for task, gap in found if gap > 0]
