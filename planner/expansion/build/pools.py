"""The crews of a workflow as pools of agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from planner.catalogue.profile import token_ratio
from planner.errors import InputError
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import count_at
from planner.expansion.graph.fragments import NO_POOL
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.expansion.supersteps.runtime import Runtime
from planner.reading.estimates.counts import CountValue
from planner.workflow.crews import Crew
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True, eq=False)
class Crews:
    """Crews of these sizes, and what runs them.

    pools : names: the lead, and for each crew of several its agents and its merges
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
        """The pool of a crew; a crew of one is the lead."""
        return self.pools.index(crew) if self.sizes[crew] > 1 else 0

    def takes(self, step: Step, pool: int) -> int:
        """The pool whose agent a step outside of items takes: tools and people take one only of a crew they name."""
        return pool if step.kind not in ("tool", "human") else self.pool(step.crew) if step.crew else NO_POOL

    def agents(self, pool: int) -> int:
        """How many there are in a pool; without one, of the lead or the default crew."""
        return self.sizes.get(self.pools[max(pool, 0)], 1)

    def crew(self, pool: int) -> Crew | None:
        """The declared crew of several agents whose pool this is."""
        return self.workflow.crews.get(self.pools[pool]) if pool != NO_POOL else None

    def ratio(self, here: Scope) -> float:
        """Tokens of a place's model for each that is written there."""
        return token_ratio(here.model, here.written_for, self.workflow.models) if here.model is not None else 1.0

    def count(self, declared: CountValue, here: Scope) -> int:
        """A count as it is declared: a number, a parameter, or arithmetic."""
        try:
            return count_at(declared, here.values, self.agents(here.pool))
        except InputError as error:
            raise here.placed(error) from None


@dataclass(frozen=True)
class Shared:
    """Items with those that are done again.

    same : of every item, the one that it is; those that are done again come behind all others
    rounds : the items of each round, in order
    """

    same: tuple[int, ...]
    rounds: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.same)


def shared(order: Sequence[int], agents: int, redundancy: float) -> Shared:
    """Items divided among agents but for the share `redundancy` of them, which every agent does.

    order : of the items, in which rounds take them

    Rounds of an item for each agent come in turn with rounds of one item that all do, `redundancy` times the items
    rounded half up. Where nothing is redundant these are rounds of as many items as there are agents.
    """
    items = len(order)
    done_by_all = floor(redundancy * items + 0.5)
    divided = items - done_by_all
    each = done_by_all / divided if divided else 0.0
    same, rounds, at, owed = list(range(items)), [], 0, 0.5
    while at < items:
        if divided:
            rounds.append(tuple(order[at : at + min(agents, divided)]))
            at += len(rounds[-1])
            divided -= len(rounds[-1])
            owed += len(rounds[-1]) * each
        while at < items and (owed >= 1 or not divided):
            again = range(len(same), len(same) + agents - 1)
            rounds.append((order[at], *again))
            same += [order[at]] * (agents - 1)
            at, owed = at + 1, owed - 1
    return Shared(tuple(same), tuple(rounds))
