"""What the scheduler sees: a graph of tasks, what each does, and what of it depends on the sizes of crews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from planner.engine.simulation import Graph
from planner.expansion.chain import Hand, Skip
from planner.expansion.fragments import Mark
from planner.expansion.work import Work
from planner.workflow.declaration import Workflow

DEFAULT_CREW = "agents"
"""The crew that does everything where no crew is declared."""

LEAD = "lead"


@dataclass(frozen=True, eq=False)
class TaskGraph:
    """What the scheduler sees.

    works : marks of what each task does
    skips : marks of tasks that are left out under a condition: `Skip` and `Hand`
    pools : name of each pool, in the kernel's order
    sizes : agents of each crew
    """

    graph: Graph
    works: tuple[Mark[Work], ...]
    skips: tuple[Mark[Skip | Hand], ...]
    pools: tuple[str, ...]
    sizes: Mapping[str, int]

    @cached_property
    def occurrences(self) -> int:
        """How often any work occurs: tasks, counting what collapsed into one as many."""
        return sum(mark.tasks.size for mark in self.works)


def crew_sizes(workflow: Workflow) -> dict[str, int]:
    """Agents of each crew as declared; the default crew has one."""
    return {name: workflow.count(crew.agents) for name, crew in workflow.crews.items()} or {DEFAULT_CREW: 1}


def structure(workflow: Workflow, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """What the graph and its demands depend on in the sizes of crews.

    A crew of one is the lead, and needs no coordination; ramp-up and messages grow with the crew.
    """

    def matters(name: str) -> bool:
        coordination = workflow.crews[name].coordination
        return coordination.ramp_up is not None or coordination.sync is not None

    return tuple(size if matters(name) else min(size, 2) for name, size in sizes.items() if name in workflow.crews)


def resized(graph: TaskGraph, sizes: Mapping[str, int]) -> TaskGraph:
    """The same graph for other crew sizes of the same `structure`."""
    capacity = [sizes.get(pool, 1) for pool in graph.pools]
    return replace(graph, graph=graph.graph.with_capacity(capacity), sizes=sizes)
