"""The outline of a task graph in; an upper bound on the number of concurrently open requests out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.engine.simulation import Graph
from planner.expansion.graph.fragments import NO_POOL
from planner.expansion.graph.order import max_concurrent_weight
from planner.expansion.graph.outline import (
    Chain,
    Dispatch,
    Group,
    InRound,
    Outline,
    Part,
    Replicas,
    Rounds,
    Task,
)
from planner.expansion.graph.work import Work


def max_open_requests(graph: Graph, outline: Outline, agents: Sequence[int]) -> int:
    """Return an upper bound on the number of requests that are open at the same time.

    outline : tree that describes how the tasks of the graph are composed
    agents : number of agents in each pool
    """
    return _OpenRequestBound(graph, agents).bounds(outline, 0).total


@dataclass(frozen=True, eq=False)
class _Open:
    """Upper bounds on the number of concurrently open requests in a part of a task graph.

    by_pool : two bounds for each pool: for all its agents together, and for one agent. Tasks without an agent count in
        the pool `NO_POOL`
    total : bound for all pools together
    """

    by_pool: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    total: int = 0

    def with_agent(self, pool: int) -> _Open:
        """Return these bounds with all requests made without an agent counted as requests of one agent of `pool`.

        The bounds then hold for a part of the graph during which an item holds this agent.
        """
        if pool == NO_POOL or NO_POOL not in self.by_pool:
            return self
        requests = self.by_pool[NO_POOL][0]
        pool_total, per_agent = self.by_pool.get(pool, (0, 0))
        others = {other: bounds for other, bounds in self.by_pool.items() if other != NO_POOL}
        return _Open({**others, pool: (pool_total + requests, max(per_agent, requests))}, self.total)


class _OpenRequestBound:
    def __init__(self, graph: Graph, agents: Sequence[int]) -> None:
        self.graph, self.agents = graph, agents

    def bounds(self, outline: Outline, start: int) -> _Open:
        """Return upper bounds on the number of concurrently open requests in a part of the graph.

        outline : tree that describes how the tasks of the part are composed
        start : first task of the part
        """
        if isinstance(outline, Task):
            requests = any(isinstance(work, Work) and work.model is not None for work, _ in outline.does)
            bounds = _Open({NO_POOL: (1, 1)}, 1) if requests else _Open()
            return bounds.with_agent(int(self.graph.acquire[start]))
        if isinstance(outline, Chain):
            return self.one_at_a_time(self.chain(outline, start))
        if isinstance(outline, Group):
            return self.group(outline, start)
        if isinstance(outline, Dispatch):
            limit = self.slots(start + 1) if outline.limited else None
            parts = {str(part.at): self.part_of_fan_out(part, start, limit) for part in outline.parts}
            return self.side_by_side(parts, lambda weights: sum(weights.values()))
        if isinstance(outline, Replicas):
            return self.replicas(outline, start, None)
        assert isinstance(outline, Rounds | InRound)
        return self.bounds(outline.body, start)

    def part(self, part: Part, start: int) -> _Open:
        return self.bounds(part.outline, start + part.at)

    def part_of_fan_out(self, part: Part, start: int, limit: int | None) -> _Open:
        """Return upper bounds on the number of concurrently open requests in a part of a fan-out.

        limit : largest number of items, or of copies, that run at the same time; None: no limit
        """
        if isinstance(part.outline, Replicas):
            return self.replicas(part.outline, start + part.at, limit)
        return self.part(part, start)

    def replicas(self, outline: Replicas, start: int, limit: int | None) -> _Open:
        count = outline.count if limit is None else min(outline.count, limit)
        return self.side_by_side({"": self.bounds(outline.body, start + 1)}, lambda weights: count * weights[""])

    def slots(self, task: int) -> int:
        """Return the number of slots of the pool from which a task seizes a slot."""
        return int(self.graph.capacity[self.graph.acquire[task]])

    def group(self, outline: Group, start: int) -> _Open:
        parts = {name: self.part(part, start) for name, part in outline.parts.items()}
        if outline.choice:
            return self.one_at_a_time(parts.values())
        needed: dict[str, list[str]] = {name: [] for name in parts}
        for source, target in outline.form.arrows():
            if source in parts and target in parts:
                needed[target].append(source)
        if not outline.limited:
            return self.side_by_side(parts, lambda weights: max_concurrent_weight(weights, needed))
        limit = self.slots(start + next(iter(outline.parts.values())).at - 1)  # each step follows the task that seizes
        return self.side_by_side(
            parts, lambda weights: min(max_concurrent_weight(weights, needed), sum(sorted(weights.values())[-limit:]))
        )

    def chain(self, outline: Chain, start: int) -> list[_Open]:
        """Return a list with an `_Open` for each part of a sequence: the bounds on its concurrently open requests.

        A part may seize an agent. The requests of the following parts count for this agent until a part releases it.
        """
        bounds, pool = [], NO_POOL
        for part in outline.parts:
            first = start + part.at
            if isinstance(part.outline, Task) and self.graph.acquire[first] != NO_POOL:
                pool = int(self.graph.acquire[first])
            bounds.append(self.part(part, start).with_agent(pool))
            if isinstance(part.outline, Task) and self.graph.release[first] != NO_POOL:
                pool = NO_POOL
        return bounds

    def one_at_a_time(self, parts: Iterable[_Open]) -> _Open:
        """Combine the bounds of parts of which only one runs at a time. Each result is the largest bound of a part."""
        by_pool: dict[int, tuple[int, int]] = {}
        total = 0
        for part in parts:
            for pool, (pool_total, per_agent) in part.by_pool.items():
                largest = by_pool.get(pool, (0, 0))
                by_pool[pool] = max(largest[0], pool_total), max(largest[1], per_agent)
            total = max(total, part.total)
        return _Open(by_pool, total)

    def side_by_side(self, parts: Mapping[str, _Open], combine: Callable[[Mapping[str, int]], int]) -> _Open:
        """Combine the bounds of parts that may run side by side.

        The result for a pool is at most `agents of the pool * bound for one agent`.

        combine : function that takes the bound of each part by name, and returns the bound for all parts. For example,
            this is the sum if all parts may run at the same time
        """
        by_pool: dict[int, tuple[int, int]] = {}
        for pool in dict.fromkeys(pool for part in parts.values() for pool in part.by_pool):
            pool_total = combine({name: part.by_pool.get(pool, (0, 0))[0] for name, part in parts.items()})
            per_agent = max(part.by_pool[pool][1] for part in parts.values() if pool in part.by_pool)
            limit = pool_total if pool == NO_POOL else per_agent * self.agents[pool]
            by_pool[pool] = min(pool_total, limit), per_agent
        total = combine({name: part.total for name, part in parts.items()})
        return _Open(by_pool, min(total, sum(pool_total for pool_total, _ in by_pool.values())))
