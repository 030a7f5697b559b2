"""The task graph of a workflow, and how it depends on the sizes of crews."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.engine.arrays import Bools, Floats, Ints
from planner.engine.simulation import Graph
from planner.expansion.graph.conditions import Outcome
from planner.expansion.graph.fragments import LIMIT, RAMPED_UP, TaskMap
from planner.expansion.graph.open_requests import max_open_requests
from planner.expansion.graph.outline import Outline
from planner.expansion.graph.segments import AgentTask, SkipCondition, SkippedWith
from planner.expansion.graph.work import Stagger, Work
from planner.workflow.checks.agents import depends_on_agents
from planner.workflow.crews import LEAD as LEAD
from planner.workflow.crews import Crew
from planner.workflow.declaration import Workflow

DEFAULT_CREW = "agents"
"""Name of the pool whose agents make all requests, if a workflow has no crews and a scenario limits the number of
agents.
"""

LIMITED = LIMIT.rstrip(": ")
"""Name that results show for all `LIMIT` pools together."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Tasks that begin with a wait, because the agents of a fan-out arrive one after another (YAML `stagger`).

    Each array has an entry for each of these tasks.

    tasks : numbers of the tasks
    seconds : length of the wait in seconds
    idle : whether the task only waits. False if the agent also ramps up in this task, after its arrival
    """

    tasks: Ints
    seconds: Floats
    idle: Bools


@dataclass(frozen=True, eq=False)
class TaskGraph:
    """A graph of tasks for the scheduler, and the work of these tasks.

    works : tasks of each `Work`
    skips : tasks that are skipped under each condition
    outcomes : outcomes of the outermost steps that may fail and have no fallback
    pools : name of each pool, in the order of pool numbers
    sizes : number of agents of each crew
    outline : tree that describes how the tasks are composed
    paid_crews : the crews whose agents are paid, by name
    """

    graph: Graph
    works: tuple[TaskMap[Work], ...]
    skips: tuple[TaskMap[SkipCondition | AgentTask | SkippedWith], ...]
    outcomes: tuple[Outcome, ...]
    pools: tuple[str, ...]
    sizes: Mapping[str, int]
    outline: Outline
    paid_crews: Mapping[str, Crew] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        """Whether any attempt has a timeout. If so, durations decide which work is done."""
        retries = (task_map.subject.retry for task_map in self.works)
        return any(retry is not None and retry.timeout is not None for retry in retries)

    def max_open_requests(self, sizes: Mapping[str, int]) -> int:
        """Return an upper bound on the number of concurrently open requests, at least 1.

        Source: docs/model.md, "Requests".

        sizes : number of agents of each crew
        """
        return max(1, max_open_requests(self.graph, self.outline, [sizes.get(pool, 1) for pool in self.pools]))

    @cached_property
    def raced(self) -> NDArray[np.bool_]:
        """Mask (tasks,) of the tasks that a race may cancel."""
        raced = np.zeros(len(self.graph), bool)
        for low, high in zip(self.graph.race_lo, self.graph.race_hi, strict=True):
            raced[low:high] = True
        return raced

    @cached_property
    def arrivals(self) -> Arrivals:
        """Tasks that begin with a wait for a delayed agent, with the length of each wait."""
        none = np.empty(0, np.int32)
        delays = [(mark.tasks, mark.subject.body) for mark in self.works if isinstance(mark.subject.body, Stagger)]
        tasks = np.concatenate([none, *(tasks.ravel() for tasks, _ in delays)])
        seconds = [
            np.broadcast_to(body.seconds * np.arange(tasks.shape[-1]), tasks.shape).ravel() for tasks, body in delays
        ]
        ramp_ups = [mark.tasks.ravel() for mark in self.works if mark.subject.kind == "ramp_up"]
        idle = ~np.isin(tasks, np.concatenate([none, *ramp_ups]))
        return Arrivals(tasks, np.concatenate([np.empty(0), *seconds]), idle)

    @property
    def recorded(self) -> bool:
        """Whether costs depend on the starts and ends of tasks, which the schedule then has to record."""
        return bool(self.paid_crews) or bool(self.raced.any())

    @property
    def paid(self) -> bool:
        """Whether tools, people or crews are paid."""
        return bool(self.paid_crews) or any(task_map.subject.pay is not None for task_map in self.works)

    @cached_property
    def occurrences(self) -> int:
        """Number of occurrences of all works in the graph. Several occurrences may share a task."""
        return sum(task_map.tasks.size for task_map in self.works)


def crew_sizes(workflow: Workflow) -> dict[str, int]:
    """Return the declared number of agents of each crew."""
    return {name: workflow.count(crew.agents) for name, crew in workflow.crews.items()}


def draw_key_function(workflow: Workflow) -> Callable[[Mapping[str, int]], tuple[int, ...]]:
    """Return a function that maps crew sizes to a key. Crew sizes with the same key share a task graph and its draws.

    Only the numbers of agents in the graph's pools differ. For example, 3 and 5 agents have the same key if nothing in
    the workflow depends on their number.

    A crew whose coordination or arithmetic depends on its size contributes this size to the key. Any other crew only
    contributes whether it has one agent or several. Without crews, the key says whether the number of agents is
    limited, or contains this number if arithmetic uses it.
    """
    by_agents = depends_on_agents(workflow)

    def depends_on_size(crew: Crew) -> bool:
        declared = crew.coordination
        grows = declared.ramp_up or declared.stagger or declared.sync or declared.conflict
        return bool(grows) or declared.redundancy > 0 or crew.lockstep or by_agents

    if not workflow.crews:
        return lambda sizes: tuple(sizes.values()) if by_agents else (len(sizes),)
    exact = {name: depends_on_size(crew) for name, crew in workflow.crews.items()}
    return lambda sizes: tuple(size if exact[name] else min(size, 2) for name, size in sizes.items() if name in exact)


def resized(graph: TaskGraph, sizes: Mapping[str, int]) -> TaskGraph:
    """Return the graph with other numbers of agents in its pools. Its tasks stay the same.

    sizes : new number of agents of each crew. `draw_key_function` must give the old and the new sizes the same key
    """
    limits = graph.graph.capacity.tolist()
    own = (LIMIT, RAMPED_UP)
    capacity = [limits[pool] if name in own else sizes.get(name, 1) for pool, name in enumerate(graph.pools)]
    tasks = replace(graph.graph.with_capacity(capacity), crew=shared_pools(graph.pools, capacity))
    return replace(graph, graph=tasks, sizes=sizes)


def shared_pools(pools: Sequence[str], capacity: ArrayLike) -> Ints:
    """Return an array with 1 for each pool of several agents or slots, and 0 for each other pool.

    Pools of agents that have ramped up also get 0. A wait for such an agent counts as ramp-up, not as queueing.
    """
    several = np.asarray(capacity) > 1
    counted = np.array([name != RAMPED_UP for name in pools], bool)
    return np.asarray(several & counted, np.int32)
