"""Schedules in, utilisation out: how busy agents and slots are, and how long the critical path waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.moments import Mean, Moments
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.fragments import LIMIT, RAMPED_UP
from planner.expansion.graph.task_graph import LIMITED, Arrivals
from planner.measures.moments import NANO
from planner.timing.held_agents import HeldAgents

_SHARE = 2.0**-40
"""Unit of shares. Whole multiples of it add up exactly, in any order."""


@dataclass(frozen=True)
class Utilisation:
    """Utilisation of a crew's agents, of the lead, of a crew's merge queue, or of LangGraph's slots.

    name : name of the crew, or ``lead``. For a merge queue, ``: merge`` follows the name of the crew. For LangGraph's
        slots, the name is `LIMITED`
    agents : number of agents; for LangGraph's slots, number of slots in each graph
    utilisation : mean over samples of `seconds held / (agents * completion time)`. An agent is held until a task
        releases the agent, even while the agent does nothing
    waiting : mean seconds for which the critical path waits for an agent. With a single agent, the critical path goes
        through the agent's work instead, and this number is 0
    usd : mean pay of all agents in US dollars; None if they are not paid, or if the cost of the scenario is unknown
    """

    name: str
    agents: int
    utilisation: Mean
    waiting: Mean
    usd: Mean | None


class Usage:
    """Sums over samples for each pool: time for which slots are held, waiting time on the critical path, and pay.

    groups : name → indices of the pools with this name. Pools with the same name are counted together
    """

    def __init__(
        self, graph: Graph, pools: Sequence[str], paid: Iterable[str] = (), arrivals: Arrivals | None = None
    ) -> None:
        """Start with no samples.

        pools : name of each pool of the graph
        paid : names of the crews whose agents are paid
        arrivals : tasks in which agents arrive; None: all agents are there from the beginning
        """
        self.groups = {
            name: [pool for pool, other in enumerate(pools) if other == name] for name in dict.fromkeys(pools)
        }
        self.sizes = [int(graph.capacity[group[0]]) for group in self.groups.values()]
        self.agents = HeldAgents(graph, arrivals)
        self.held = [Moments(_SHARE) for _ in self.groups]
        self.waiting = [Moments(TICK) for _ in self.groups]
        self.usd = {name: Moments(NANO) for name in paid}

    def plus(self, other: Usage) -> None:
        """Add the samples of another `Usage` of the same graph."""
        for mine, others in zip((*self.held, *self.waiting), (*other.held, *other.waiting), strict=True):
            mine.plus(others)
        for name, usd in self.usd.items():
            usd.plus(other.usd[name])

    def results(self, priced: bool) -> tuple[Utilisation, ...]:
        """Return the utilisation of each crew, of each merge queue, of the lead, and of LangGraph's slots.

        Groups of agents or slots that no task uses are left out, unless they are paid. The slots that only limit how
        many new agents ramp up together are also left out.

        priced : whether the cost of the scenario is known; otherwise the pay of each crew is None
        """
        pay = {name: usd.mean() for name, usd in self.usd.items()} if priced else {}
        return tuple(
            Utilisation(LIMITED if name == LIMIT else name, size, held.mean(), waiting.mean(), pay.get(name))
            for (name, group), size, held, waiting in zip(
                self.groups.items(), self.sizes, self.held, self.waiting, strict=True
            )
            if (any(len(self.agents.seizing[pool]) for pool in group) and name != RAMPED_UP) or name in self.usd
        )

    def add(self, graph: Graph, durations: Floats, schedule: Schedule, crew_usd: Mapping[str, Floats]) -> None:
        """Add S samples. Their `schedule` must come from `simulate` with the options `traced` and `recorded`.

        crew_usd : pay of each paid crew in US dollars, in arrays (S,)
        """
        makespan = schedule.makespan / TICK
        held, waited = self.agents.held_ticks(durations, schedule), waits(graph, schedule)
        for group, shares, seconds in zip(self.groups.values(), self.held, self.waiting, strict=True):
            agents = float(graph.capacity[group].sum())
            ticks = sum((held[pool] for pool in group), np.zeros(len(makespan), np.int64))
            shares.add(np.where(makespan > 0, ticks / np.where(makespan > 0, agents * makespan, 1.0), 0.0))
            seconds.add(sum((waited[pool] for pool in group), np.zeros(len(makespan))))
        for name, usd in crew_usd.items():
            self.usd[name].add(usd)


def waits(graph: Graph, schedule: Schedule) -> list[Floats]:
    """Return for each pool an array (S,): for each sample, the seconds of the critical path spent waiting for a slot.

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
