"""Crews of a workflow as numbered pools of agents, and the division of items among agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np

from planner.catalogue.profile import token_ratio
from planner.engine.arrays import Ints
from planner.errors import InputError
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import count_at
from planner.expansion.graph.fragments import NO_POOL, OWN_POOL
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.expansion.supersteps.runtime import Runtime
from planner.reading.estimates.counts import CountValue
from planner.workflow.crews import Crew
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True, eq=False)
class Crews:
    """The crews of a workflow, with given sizes, and its runtime.

    sizes : number of agents of each crew
    pools : names of pools: the lead, then for each crew of several agents the crew itself and its merge queue
    """

    workflow: Workflow
    sizes: Mapping[str, int]
    pools: tuple[str, ...]
    runtime: Runtime = field(default_factory=Runtime)

    @classmethod
    def of(cls, workflow: Workflow, sizes: Mapping[str, int], runtime: Runtime | None = None) -> Crews:
        pools = [LEAD if workflow.crews else DEFAULT_CREW]
        for name in workflow.crews:
            if sizes[name] > 1:
                pools += [name, f"{name}: merge"]
        return cls(workflow, sizes, tuple(pools), Runtime.of(workflow) if runtime is None else runtime)

    def pool(self, crew: str) -> int:
        """Number of the pool of a crew. A crew of one agent has the pool of the lead."""
        return self.pools.index(crew) if self.sizes[crew] > 1 else 0

    def seized_by(self, step: Step, pool: int) -> int:
        """Pool of the agent that a step outside of items seizes, or `NO_POOL`.

        A tool or a person seizes an agent only if the step names a crew.

        pool : pool of the crew to which the step belongs
        """
        if step.kind not in ("tool", "human"):
            return pool
        return self.pool(step.crew) if step.crew else NO_POOL

    def agents(self, pool: int) -> int:
        """Number of agents in a pool. For `NO_POOL`: number of agents of the lead or the default crew."""
        return self.sizes.get(self.pools[max(pool, 0)], 1)

    def crew(self, pool: int) -> Crew | None:
        """The declared crew of several agents to which a pool belongs; None: there is no such crew."""
        return self.workflow.crews.get(self.pools[pool]) if pool != NO_POOL else None

    def ratio(self, scope: Scope) -> float:
        """Number of tokens of the scope's model for each declared token."""
        return token_ratio(scope.model, scope.written_for, self.workflow.models) if scope.model is not None else 1.0

    def count(self, declared: CountValue, scope: Scope) -> int:
        """Evaluate a count declared as a number, a parameter or arithmetic. Raises InputError with a position."""
        try:
            return count_at(declared, scope.values, self.agents(scope.pool))
        except InputError as error:
            raise scope.located(error) from None


def number_pools(pools: Ints, crew_pools: int) -> Ints:
    """Return the pools of all tasks of a workflow, numbered for the scheduler.

    The `crew_pools` pools of crews keep their numbers. The pools that belong to fragments follow them.

    pools : pool of each task, as in the fragment of the whole workflow
    """
    return np.where(pools <= OWN_POOL, crew_pools + OWN_POOL - pools, pools).astype(np.int32)


@dataclass(frozen=True)
class SharedItems:
    """The rows of a fan-out: its items, followed by repetitions of the items that several agents do.

    same : item that each row does
    rounds : rows of each round, in order
    """

    same: tuple[int, ...]
    rounds: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.same)


def share_items(order: Sequence[int], agents: int, redundancy: float) -> SharedItems:
    """Divide items among agents. A share `redundancy` of the items is not divided: every agent does them.

    In a divided round each agent does a different item. In a redundant round all agents do the same item. Redundant
    rounds are spread evenly. The number of redundant items is `redundancy` times the number of items, rounded half up.

    order : items in the order in which rounds use them
    """
    items = len(order)
    redundant = floor(redundancy * items + 0.5)
    divided = items - redundant
    redundant_per_divided = redundant / divided if divided else 0.0
    same, rounds, used, due = list(range(items)), [], 0, 0.5
    while used < items:
        if divided:
            rounds.append(tuple(order[used : used + min(agents, divided)]))
            used += len(rounds[-1])
            divided -= len(rounds[-1])
            due += len(rounds[-1]) * redundant_per_divided
        while used < items and (due >= 1 or not divided):
            repetitions = range(len(same), len(same) + agents - 1)
            rounds.append((order[used], *repetitions))
            same += [order[used]] * (agents - 1)
            used, due = used + 1, due - 1
    return SharedItems(tuple(same), tuple(rounds))
