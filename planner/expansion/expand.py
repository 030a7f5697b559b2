"""A workflow and crew sizes in, a `TaskGraph` out: loops unrolled, fan-outs laid out, coordination inserted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.engine.simulation import Graph, build_graph
from planner.errors import InputError, Problem
from planner.expansion.fragments import (
    NO_POOL,
    Fragment,
    Placed,
    Reading,
    Work,
    fanned_out,
    in_order,
    merged,
    repeated,
    side_by_side,
    single,
)
from planner.workflow.declaration import Coordination, Step, Workflow

MOST_TASKS = 2_000_000
"""Most tasks, and most occurrences of work, that a workflow may expand to."""

DEFAULT_CREW = "agents"
"""The crew that does everything where no crew is declared."""

LEAD = "lead"


@dataclass(frozen=True, eq=False)
class TaskGraph:
    """What the scheduler sees.

    placed : which work each task does
    pools : name of each pool, in the kernel's order
    sizes : agents of each crew
    """

    graph: Graph
    placed: tuple[Placed, ...]
    pools: tuple[str, ...]
    sizes: Mapping[str, int]

    @cached_property
    def occurrences(self) -> int:
        """How often any work occurs: tasks, counting what collapsed into one as many."""
        return sum(placed.tasks.size for placed in self.placed)


def crew_sizes(workflow: Workflow) -> dict[str, int]:
    """Agents of each crew as declared; the default crew has one."""
    return {name: workflow.count(crew.agents) for name, crew in workflow.crews.items()} or {DEFAULT_CREW: 1}


def structure(sizes: Mapping[str, int]) -> tuple[bool, ...]:
    """What the graph depends on in the sizes of crews: a crew of one is the lead, and needs no coordination."""
    return () if DEFAULT_CREW in sizes else tuple(size == 1 for size in sizes.values())


def resized(graph: TaskGraph, sizes: Mapping[str, int]) -> TaskGraph:
    """The same graph for other crew sizes of the same `structure`."""
    capacity = [sizes.get(pool, 1) for pool in graph.pools]
    return TaskGraph(graph.graph.with_capacity(capacity), graph.placed, graph.pools, sizes)


def expand(workflow: Workflow, sizes: Mapping[str, int]) -> TaskGraph:
    """The task graph of a workflow whose crews have these sizes. Raises InputError over `MOST_TASKS` tasks."""
    expansion = _Expansion(workflow, sizes)
    fragment = expansion.group(("steps",), workflow.steps, NO_POOL, workflow.model)
    capacity = np.array([sizes.get(pool, 1) for pool in expansion.pools])
    graph = build_graph(
        len(fragment),
        fragment.edges,
        acquire=fragment.acquire,
        capacity=capacity,
        crew=capacity > 1,
    )
    return TaskGraph(graph, fragment.placed, tuple(expansion.pools), sizes)


@dataclass(frozen=True, eq=False)
class _Piece:
    """A stretch of an item: work on a pool, or a fragment of its own, in `rounds` of loops within the item.

    apart : it is a task of its own, whoever comes next
    """

    pool: int
    content: Work | Fragment
    rounds: tuple[int, ...] = ()
    apart: bool = False


class _Expansion:
    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow = workflow
        self.sizes = sizes
        self.pools = [LEAD if workflow.crews else DEFAULT_CREW]
        for name in workflow.crews:
            if sizes[name] > 1:
                self.pools += [name, f"{name}: merge"]

    def pool(self, crew: str) -> int:
        """The pool of a crew; a crew of one is the lead."""
        return self.pools.index(crew) if self.sizes[crew] > 1 else 0

    # Steps outside of any item: each takes an agent for itself.

    def group(self, path: tuple[str, ...], steps: Mapping[str, Step], pool: int, model: str | None) -> Fragment:
        children = {name: self.step((*path, name), step, pool, model) for name, step in steps.items()}
        fragment = side_by_side(children, {name: step.needs for name, step in steps.items()})
        self.limit(len(fragment), 1, path)
        return fragment

    def step(self, path: tuple[str, ...], step: Step, pool: int, model: str | None) -> Fragment:
        """A step with its modifiers. `pool` is that of the crew around it, or −1: the lead, or the default crew."""
        pool = self.pool(step.crew) if step.crew else pool
        model = step.model or model
        if step.for_each is not None:
            return self.fan_out(path, step, pool, model)
        if step.steps is not None:
            fragment = self.group((*path, "steps"), step.steps, pool, model)
        else:
            fragment = single(self.takes(step, max(pool, 0)), self.work(path, step, model))
        if step.repeat is None:
            return fragment
        times = self.workflow.count(step.repeat.times)
        self.limit(len(fragment), times, path)
        return repeated(fragment, times)

    def takes(self, step: Step, pool: int) -> int:
        """The pool whose agent a step outside of items takes: tools and people take one only of a crew they name."""
        return pool if step.kind in ("llm", "agent") else self.pool(step.crew) if step.crew else NO_POOL

    def work(self, path: tuple[str, ...], step: Step, model: str | None) -> Work:
        body = step.llm or step.agent or step.tool or step.human
        assert body is not None
        return Work(_dotted(path), step.kind, body, model if step.kind in ("llm", "agent") else None)

    # Items: steps one after another, by one agent where they let it.

    def fan_out(self, path: tuple[str, ...], step: Step, pool: int, model: str | None) -> Fragment:
        count = self.workflow.count(step.for_each or 1)
        pool = self.takes(step, pool) if step.kind in ("tool", "human") else max(pool, 0)
        coordination = self.coordination(pool, count)
        pieces = self.body(path, step, pool, model)
        name = _dotted(path)
        before: list[_Piece] = []
        if coordination.brief:
            brief = Work(name, "brief", coordination.brief, self.workflow.model)
            before.append(_Piece(0, brief, apart=True))
            pieces = _reading(pieces, brief)
        if coordination.report:
            report = Work(name, "report", coordination.report, self.workflow.model)
            read = Work(name, "reading", Reading(), self.workflow.model, reads=report)
            pieces = [*pieces, _Piece(pool, report), _Piece(0, read)]
        if coordination.merge:
            merge = Work(name, "merge", coordination.merge, self.workflow.model if coordination.merge.asks else None)
            pieces = [*pieces, _Piece(pool + 1, merge)]
        item = self.chain([*before, *pieces])
        self.limit(max(len(item), len(pieces)), count, path)
        return fanned_out(item, count)

    def coordination(self, pool: int, count: int) -> Coordination:
        """What the crew of a pool coordinates; nothing for one agent, or one item."""
        name = self.pools[pool] if pool != NO_POOL else ""
        if name in self.workflow.crews and min(self.sizes[name], count) > 1:
            return self.workflow.crews[name].coordination
        return Coordination()

    def body(self, path: tuple[str, ...], step: Step, pool: int, model: str | None) -> list[_Piece]:
        """The pieces of an item, or of a step within one, whose agent is of `pool`."""
        model = step.model or model
        if step.steps is not None:
            pieces = [
                piece
                for name in ordered(step.steps)
                for piece in self.inner((*path, "steps", name), step.steps[name], pool, model)
            ]
        else:
            pieces = [_Piece(self.holds(step, pool), self.work(path, step, model))]
        if step.repeat is None:
            return pieces
        times = self.workflow.count(step.repeat.times)
        self.limit(len(pieces), times, path)
        return [_Piece(piece.pool, piece.content, (times, *piece.rounds)) for piece in pieces] * times

    def inner(self, path: tuple[str, ...], step: Step, pool: int, model: str | None) -> list[_Piece]:
        """A step within an item."""
        inside = self.pool(step.crew) if step.crew else pool
        if step.for_each is None:
            return self.body(path, step, inside, model)
        return [_Piece(NO_POOL, self.fan_out(path, step, inside, step.model or model))]

    def holds(self, step: Step, pool: int) -> int:
        """The pool whose agent a step of an item needs: none for people and for tools that let it go."""
        if step.kind == "human":
            return self.pool(step.crew) if step.crew else NO_POOL
        return pool if step.hold else NO_POOL

    def chain(self, pieces: list[_Piece]) -> Fragment:
        """Pieces one after another; what keeps its agent is one task."""
        stretches: list[Fragment] = []
        kept: list[Work] = []
        rounds: dict[Work, tuple[int, ...]] = {}
        for index, piece in enumerate(pieces):
            works = piece.content.placed if isinstance(piece.content, Fragment) else (piece.content,)
            for work in works:
                rounds[work.work if isinstance(work, Placed) else work] = piece.rounds
            if isinstance(piece.content, Fragment):
                stretches.append(piece.content)
                continue
            kept.append(piece.content)
            following = pieces[index + 1] if index + 1 < len(pieces) else None
            if (
                piece.apart
                or piece.pool == NO_POOL
                or following is None
                or isinstance(following.content, Fragment)
                or following.pool != piece.pool
            ):
                stretches.append(single(piece.pool, *kept))
                kept = []
        return merged(in_order(stretches), rounds)

    def limit(self, size: int, times: int, path: tuple[str, ...]) -> None:
        """Refuse before building what would be too large."""
        if size * times > MOST_TASKS:
            name = _dotted(path) or self.workflow.workflow
            message = f"'{name}' expands to {size * times:,} tasks; the limit is {MOST_TASKS:,}"
            hint = "plan a part of it, or fewer items of more work each"
            raise InputError([Problem("too-large", message, self.workflow.place(*path), hint)])


def _reading(pieces: list[_Piece], brief: Work) -> list[_Piece]:
    """The same pieces, where the first request reads the brief."""
    for piece in pieces:
        first = piece.content
        if isinstance(first, Work) and first.model is not None:
            reader = Work(first.step, first.kind, first.body, first.model, reads=brief)
            return [_Piece(one.pool, reader if one.content is first else one.content, one.rounds) for one in pieces]
    return pieces


def ordered(steps: Mapping[str, Step]) -> list[str]:
    """Names of steps in topological, then declared order."""
    left = dict(steps)
    done: list[str] = []
    while left:
        name = next(name for name, step in left.items() if not any(need in left for need in step.needs))
        done.append(name)
        del left[name]
    return done


def _dotted(path: tuple[str, ...]) -> str:
    """A step's path without the keys between its names: they stand at every second place."""
    return ".".join(path[1::2])
