"""Schedules in; the pay of the agents of crews out."""

from __future__ import annotations

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, Graph, Schedule
from planner.expansion.graph.task_graph import TaskGraph
from planner.timing.held_agents import HeldAgents


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
