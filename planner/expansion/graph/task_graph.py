"""What the scheduler sees: a graph of tasks, what each does, and what of it depends on the sizes of crews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.engine.simulation import Graph
from planner.expansion.graph.conditions import Outcome
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.open_requests import max_open_requests
from planner.expansion.graph.outline import Outline
from planner.expansion.graph.segments import SeizeRelease, SkipCondition
from planner.expansion.graph.work import Work
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.counts import ComputedCount
from planner.reading.estimates.forms import Arithmetic, ByModel
from planner.reading.validation import Declared
from planner.workflow.crews import Crew
from planner.workflow.declaration import Step, Workflow

DEFAULT_CREW = "agents"
"""The crew that does everything where no crew is declared."""

LEAD = "lead"

LIMIT = "max_concurrency: "
"""The name of the pools of what may run at a time in one graph of LangGraph's. No crew can have it."""

LIMITED = LIMIT.rstrip(": ")
"""What is shown for all these pools together."""


@dataclass(frozen=True, eq=False)
class TaskGraph:
    """What the scheduler sees.

    works : marks of what each task does
    skips : marks of tasks that are left out under a condition: `SkipCondition` and `SeizeRelease`
    outcomes : of the steps whose failure nothing deals with
    pools : name of each pool, in the kernel's order
    sizes : agents of each crew
    outline : how the graph is put together
    """

    graph: Graph
    works: tuple[TaskMap[Work], ...]
    skips: tuple[TaskMap[SkipCondition | SeizeRelease], ...]
    outcomes: tuple[Outcome, ...]
    pools: tuple[str, ...]
    sizes: Mapping[str, int]
    outline: Outline

    @property
    def timed(self) -> bool:
        """Whether what is done depends on how long it takes."""
        return any(mark.what.retry is not None and mark.what.retry.timeout is not None for mark in self.works)

    def requesters(self, sizes: Mapping[str, int]) -> int:
        """Requests that can be open at a time, at least 1: no fewer than there ever are (docs/model.md, "Requests")."""
        return max(1, max_open_requests(self.graph, self.outline, [sizes.get(pool, 1) for pool in self.pools]))

    @cached_property
    def raced(self) -> NDArray[np.bool_]:
        """(n,) whether a task may be cancelled."""
        found = np.zeros(len(self.graph), bool)
        for low, high in zip(self.graph.race_lo, self.graph.race_hi, strict=True):
            found[low:high] = True
        return found

    @cached_property
    def occurrences(self) -> int:
        """How often any work occurs: tasks, counting what collapsed into one as many."""
        return sum(mark.tasks.size for mark in self.works)


def crew_sizes(workflow: Workflow) -> dict[str, int]:
    """Agents of each crew as declared; the default crew has one."""
    return {name: workflow.count(crew.agents) for name, crew in workflow.crews.items()} or {DEFAULT_CREW: 1}


def structures(workflow: Workflow) -> Callable[[Mapping[str, int]], tuple[int, ...]]:
    """What the graph and its demands depend on in the sizes of crews.

    A crew of one is the lead, and needs no coordination; ramp-up, messages and conflicts grow with the crew.
    """
    by_agents = depends_on_agents(workflow)

    def matters(crew: Crew) -> bool:
        declared = crew.coordination
        grows = declared.ramp_up or declared.stagger or declared.sync or declared.conflict
        return bool(grows) or declared.redundancy > 0 or crew.lockstep or by_agents

    if not workflow.crews:
        return lambda sizes: tuple(sizes.values()) if by_agents else ()
    whole = {name: matters(crew) for name, crew in workflow.crews.items()}
    return lambda sizes: tuple(size if whole[name] else min(size, 2) for name, size in sizes.items() if name in whole)


def resized(graph: TaskGraph, sizes: Mapping[str, int]) -> TaskGraph:
    """The same graph for other crew sizes of the same structure."""
    kept = graph.graph.capacity.tolist()
    capacity = [kept[at] if pool == LIMIT else sizes.get(pool, 1) for at, pool in enumerate(graph.pools)]
    return replace(graph, graph=graph.graph.with_capacity(capacity), sizes=sizes)


def depends_on_agents(declared: object) -> bool:
    """Whether arithmetic in a declaration uses the number of agents."""
    if isinstance(declared, ComputedCount):
        return AGENTS in declared.formula.names
    if isinstance(declared, Arithmetic):
        return any(AGENTS in formula.names for formula in declared.formulas)
    if isinstance(declared, ByModel):
        return any(depends_on_agents(estimate) for _, estimate in declared.models)
    if isinstance(declared, Workflow):
        return depends_on_agents(declared.steps) or depends_on_agents(declared.crews)
    if isinstance(declared, Step) and declared.used is not None:
        return depends_on_agents(declared.used)
    if isinstance(declared, Declared):
        return any(depends_on_agents(getattr(declared, name)) for name in type(declared).model_fields)
    return isinstance(declared, dict) and any(map(depends_on_agents, declared.values()))
