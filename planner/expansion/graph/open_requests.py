"""A task graph's outline in, how many requests can be open at a time out: never fewer than there ever are."""

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
    """Requests that can be open at a time, no fewer than there ever are. `agents`: of each pool."""
    return _OpenRequestBound(graph, agents).of(outline, 0).most


@dataclass(frozen=True, eq=False)
class _Open:
    """Requests that can be open at a time.

    by : pool → all that its agents can have open, and the most that one of them can; −1: whoever is held around them
    most : all together
    """

    by: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    most: int = 0

    def held(self, pool: int) -> _Open:
        """The same where an agent of this pool is held around it."""
        if pool == NO_POOL or NO_POOL not in self.by:
            return self
        own = self.by[NO_POOL][0]
        count, each = self.by.get(pool, (0, 0))
        others = {other: both for other, both in self.by.items() if other != NO_POOL}
        return _Open({**others, pool: (count + own, max(each, own))}, self.most)


class _OpenRequestBound:
    def __init__(self, graph: Graph, agents: Sequence[int]) -> None:
        self.graph, self.agents = graph, agents

    def of(self, outline: Outline, at: int) -> _Open:
        """An outline whose first task is `at`."""
        if isinstance(outline, Task):
            asks = any(isinstance(work, Work) and work.model is not None for work, _ in outline.does)
            return (_Open({NO_POOL: (1, 1)}, 1) if asks else _Open()).held(int(self.graph.acquire[at]))
        if isinstance(outline, Chain):
            return self.one_of(self.chain(outline, at))
        if isinstance(outline, Group):
            parts = {name: self.part(part, at) for name, part in outline.parts.items()}
            if outline.choice:
                return self.one_of(parts.values())
            needed: dict[str, list[str]] = {name: [] for name in parts}
            for source, target in outline.form.arrows():
                if source in parts and target in parts:
                    needed[target].append(source)
            return self.together(parts, lambda weights: max_concurrent_weight(weights, needed))
        if isinstance(outline, Dispatch):
            sent = {str(part.at): self.part(part, at) for part in outline.parts}
            return self.together(sent, lambda weights: sum(weights.values()))
        if isinstance(outline, Replicas):
            count = outline.count
            return self.together({"": self.of(outline.body, at + 1)}, lambda weights: count * weights[""])
        assert isinstance(outline, Rounds | InRound)
        return self.of(outline.body, at)

    def part(self, part: Part, at: int) -> _Open:
        return self.of(part.outline, at + part.at)

    def chain(self, outline: Chain, at: int) -> list[_Open]:
        """Its parts; an agent that one of them takes is held until one gives it back."""
        found, pool = [], NO_POOL
        for part in outline.parts:
            first = at + part.at
            if isinstance(part.outline, Task) and self.graph.acquire[first] != NO_POOL:
                pool = int(self.graph.acquire[first])
            found.append(self.part(part, at).held(pool))
            if isinstance(part.outline, Task) and self.graph.release[first] != NO_POOL:
                pool = NO_POOL
        return found

    def one_of(self, parts: Iterable[_Open]) -> _Open:
        """One of them at a time."""
        by: dict[int, tuple[int, int]] = {}
        most = 0
        for part in parts:
            for pool, (count, each) in part.by.items():
                known = by.get(pool, (0, 0))
                by[pool] = max(known[0], count), max(known[1], each)
            most = max(most, part.most)
        return _Open(by, most)

    def together(self, parts: Mapping[str, _Open], added: Callable[[Mapping[str, int]], int]) -> _Open:
        """Side by side: of each pool no more than its agents can have open.

        added : weights of the parts in, what those that can be there at once weigh together out
        """
        by: dict[int, tuple[int, int]] = {}
        for pool in dict.fromkeys(pool for part in parts.values() for pool in part.by):
            count = added({name: part.by.get(pool, (0, 0))[0] for name, part in parts.items()})
            each = max(part.by[pool][1] for part in parts.values() if pool in part.by)
            by[pool] = (count if pool == NO_POOL else min(count, each * self.agents[pool])), each
        most = added({name: part.most for name, part in parts.items()})
        return _Open(by, min(most, sum(count for count, _ in by.values())))
