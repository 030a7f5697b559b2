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
    """The crews of a workflow, the number of agents of each crew, and the runtime of the workflow.

    sizes : number of agents of each crew
    pools : names of all pools. The pool of the lead comes first. Each crew has a pool of agents. A crew of several
        agents also has a pool for its merge queue. A workflow without crews has a pool of agents if their number is
        limited
    """

    workflow: Workflow
    sizes: Mapping[str, int]
    pools: tuple[str, ...]
    runtime: Runtime = field(default_factory=Runtime)

    @classmethod
    def of(cls, workflow: Workflow, sizes: Mapping[str, int], runtime: Runtime | None = None) -> Crews:
        pools = [LEAD]
        if not workflow.crews and DEFAULT_CREW in sizes:
            pools.append(DEFAULT_CREW)
        for name in workflow.crews:
            pools += [name, f"{name}: merge"] if sizes[name] > 1 else [name]
        return cls(workflow, sizes, tuple(pools), Runtime.of(workflow) if runtime is None else runtime)

    def pool(self, crew: str) -> int:
        """Return the pool number of a crew, or of the lead."""
        return self.pools.index(crew)

    @property
    def unnamed(self) -> int:
        """Pool of the agents for steps without a crew, or `NO_POOL` if the number of these agents is not limited."""
        return self.pools.index(DEFAULT_CREW) if DEFAULT_CREW in self.pools else NO_POOL

    def holds(self, pool: int) -> bool:
        """Whether an agent of this pool keeps an item until all of its steps are done. This is true for crews only."""
        return pool not in (NO_POOL, self.unnamed)

    def seized_by(self, step: Step, pool: int) -> int:
        """Return the pool from which a step outside of held items seizes an agent.

        Return `NO_POOL` if the step needs no agent. A tool or a person needs an agent only if the step itself names a
        crew.

        pool : pool of the crew to which the step belongs
        """
        if step.kind not in ("tool", "human"):
            return pool
        return self.pool(step.crew) if step.crew else NO_POOL

    def agents(self, pool: int) -> int | None:
        """Return the number of agents in a pool. For `NO_POOL` return None."""
        return None if pool == NO_POOL else self.sizes.get(self.pools[pool], 1)

    def crew(self, pool: int) -> Crew | None:
        """Return the declared crew whose agents are in this pool.

        Return None for the pool of the lead, for a merge queue and for `NO_POOL`.
        """
        return self.workflow.crews.get(self.pools[pool]) if pool != NO_POOL else None

    def ratio(self, scope: Scope) -> float:
        """Return how many tokens of the scope's model correspond to one declared token."""
        return token_ratio(scope.model, scope.written_for, self.workflow.models) if scope.model is not None else 1.0

    def count(self, declared: CountValue, scope: Scope) -> int:
        """Return the value of a declared count, which is a number, a parameter or an arithmetic expression.

        Raises `InputError` with the position in the file if the value is not a valid count.
        """
        try:
            return count_at(declared, scope.values, self.agents(scope.pool))
        except InputError as error:
            raise scope.located(error) from None


def number_pools(pools: Ints, crew_pools: int) -> Ints:
    """Return the final number of each task's pool.

    Until now, pools of crews have the numbers 0, 1, 2, …, and pools for a single fan-out or graph have the numbers −2,
    −3, …. The negative numbers are replaced. With `crew_pools` = 4, they become 4, 5, …. Tasks without a pool keep
    `NO_POOL`, which is −1.

    pools : pool of each task of the workflow
    crew_pools : number of pools of crews
    """
    return np.where(pools <= OWN_POOL, crew_pools + OWN_POOL - pools, pools).astype(np.int32)


@dataclass(frozen=True)
class SharedItems:
    """Items of a fan-out, divided among agents. A row is one item done by one agent.

    The first rows contain each item once. If further agents repeat an item, their rows come at the end.

    same : index of the item of each row
    rounds : rows of each round. In a round, each agent does at most one row
    """

    same: tuple[int, ...]
    rounds: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.same)


def share_items(order: Sequence[int], agents: int, redundancy: float) -> SharedItems:
    """Divide items among agents, in rounds. In a round, each agent does at most one item.

    In a divided round, the agents do different items. In a redundant round, all agents do the same item. Redundant
    rounds are spread evenly among divided rounds.

    order : items, in the order in which they are done
    redundancy : share of items that all agents do. The number of such items is rounded half up
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
