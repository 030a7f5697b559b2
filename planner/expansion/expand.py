"""A workflow and crew sizes in, a `TaskGraph` out: loops unrolled, fan-outs laid out, coordination inserted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import numpy as np

from planner.engine.simulation import build_graph
from planner.expansion.chain import Piece, Skip, chain
from planner.expansion.fragments import NO_POOL, Fragment, fanned_out, repeated, side_by_side, single
from planner.expansion.size import check_size
from planner.expansion.task_graph import DEFAULT_CREW, LEAD, TaskGraph
from planner.expansion.work import Guard, Loop, Loops, Reading, Syncing, Work
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Step, Workflow

StepPath = tuple[str, ...]
"""Keys of the file: ``steps``, a name, ``steps`` or ``choose``, a name, and so on."""


def expand(workflow: Workflow, sizes: Mapping[str, int]) -> TaskGraph:
    """The task graph of a workflow whose crews have these sizes. Raises InputError where it is too large."""
    check_size(workflow)
    expansion = _Expansion(workflow, sizes)
    here = _Place(("steps",), NO_POOL, workflow.model)
    fragment = expansion.group(here, workflow.steps)
    capacity = np.array([sizes.get(pool, 1) for pool in expansion.pools])
    graph = build_graph(
        len(fragment),
        fragment.edges,
        acquire=fragment.acquire,
        release=fragment.release,
        capacity=capacity,
        crew=capacity > 1,
    )
    works = tuple(mark for mark in fragment.marks if isinstance(mark.what, Work))
    skips = tuple(mark for mark in fragment.marks if not isinstance(mark.what, Work))
    return TaskGraph(graph, works, skips, tuple(expansion.pools), sizes)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a step stands.

    path : of the step, or of the keys that hold the steps of a group
    pool : of the crew around it; −1: the lead, or the default crew
    model : named for it
    loops, guard : around it
    """

    path: StepPath
    pool: int
    model: str | None
    loops: Loops = ()
    guard: Guard | None = None

    @property
    def name(self) -> str:
        """Names of the steps on the path, joined by dots: they stand at every second place."""
        return ".".join(self.path[1::2])

    def within(self, loop: Loop) -> _Place:
        return replace(self, loops=(*self.loops, loop))

    def only(self, guard: Guard) -> _Place:
        return replace(self, guard=guard)


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

    def enter(self, around: _Place, name: str, step: Step) -> _Place:
        """Where a step of a group stands, with what it says of crew, model and chance."""
        pool = self.pool(step.crew) if step.crew else around.pool
        here = replace(around, path=(*around.path, name), pool=pool, model=step.model or around.model)
        if step.chance is None:
            return here
        return here.only(Guard("draw", here.name, here.loops, 0.0, step.chance, here.guard))

    # Steps outside of any item: each takes an agent for itself.

    def group(self, around: _Place, steps: Mapping[str, Step]) -> Fragment:
        children = {name: self.step(self.enter(around, name, step), step) for name, step in steps.items()}
        return side_by_side(children, {name: step.needs for name, step in steps.items()})

    def step(self, here: _Place, step: Step) -> Fragment:
        """A step with its modifiers, once its chance is taken."""
        if step.for_each is not None:
            return self.fan_out(here, step)
        if step.repeat is None:
            return self.body(here, step)
        times, inside = self.rounds(here, step)
        fragment = self.body(inside, step)
        return repeated(fragment, times)

    def body(self, here: _Place, step: Step) -> Fragment:
        if step.steps is not None:
            return self.group(replace(here, path=(*here.path, "steps")), step.steps)
        if step.choose is not None:
            branches = {name: self.step(place, branch) for name, branch, place in self.branches(here, step)}
            return side_by_side(branches, dict.fromkeys(branches, ()))
        pool = self.takes(step, max(here.pool, 0))
        skip = (Skip(here.guard, here.loops),) if here.guard and pool != NO_POOL else ()
        return single(pool, pool, self.work(here, step), *skip)

    def takes(self, step: Step, pool: int) -> int:
        """The pool whose agent a step outside of items takes: tools and people take one only of a crew they name."""
        return pool if step.kind in ("llm", "agent") else self.pool(step.crew) if step.crew else NO_POOL

    def work(self, here: _Place, step: Step) -> Work:
        body = step.llm or step.agent or step.tool or step.human
        assert body is not None
        model = here.model if step.kind in ("llm", "agent") else None
        return Work(here.name, step.kind, body, model, here.loops, here.guard)

    def rounds(self, here: _Place, step: Step) -> tuple[int, _Place]:
        """How many rounds there are at most, and where a round stands."""
        assert step.repeat is not None
        times = self.workflow.count(step.repeat.most)
        inside = here.within(Loop(times))
        if step.repeat.until is None:
            return times, inside
        return times, inside.only(Guard("rounds", here.name, inside.loops, 0.0, step.repeat.until, here.guard))

    def branches(self, here: _Place, step: Step) -> list[tuple[str, Step, _Place]]:
        """The branches of a choice: one draw, a stretch of it for each."""
        found, low = [], 0.0
        around = replace(here, path=(*here.path, "choose"))
        for name, branch in (step.choose or {}).items():
            high = low + (branch.chance or 0.0)
            place = self.enter(around, name, branch.model_copy(update={"chance": None}))
            found.append(
                (name, branch, place.only(Guard("draw", f"{here.name}/choice", here.loops, low, high, here.guard)))
            )
            low = high
        return found

    # Items: steps one after another, by one agent where they let it.

    def fan_out(self, here: _Place, step: Step) -> Fragment:
        assert step.for_each is not None
        count = self.workflow.count(step.for_each.count)
        pool = self.takes(step, here.pool) if step.kind in ("tool", "human") else max(here.pool, 0)
        loops = (*here.loops, Loop(count, True, here.name, step.for_each.size))
        item = replace(here, pool=pool, loops=loops)
        pieces = self.pieces(item, step)
        before: list[Piece] = []
        coordination = self.coordination(pool, count)
        model, guard = self.workflow.model, here.guard
        if coordination.brief:
            brief = Work(here.name, "brief", coordination.brief, model, loops, guard)
            before.append(Piece(0, brief, guard, apart=True))
            pieces = _reading(pieces, brief)
        agents = min(self.sizes[self.pools[pool]], count) if coordination != Coordination() else 1
        if coordination.sync:
            share = agents / self.workflow.count(coordination.sync.every)
            body = Syncing(coordination.sync.output, agents - 1, share)
            pieces = [*pieces, Piece(pool, Work(here.name, "sync", body, model, loops, guard), guard)]
        if coordination.report:
            report = Work(here.name, "report", coordination.report, model, loops, guard)
            read = Work(here.name, "reading", Reading(), model, loops, guard, reads=report)
            pieces = [*pieces, Piece(pool, report, guard), Piece(0, read, guard)]
        if coordination.merge:
            served = model if coordination.merge.asks else None
            merge = Work(here.name, "merge", coordination.merge, served, loops, guard)
            pieces = [*pieces, Piece(pool + 1, merge, guard)]
        fragment = chain([*before, *pieces], loops, guard)
        items = fanned_out(fragment, count)
        if coordination.ramp_up is None:
            return items
        return self.ramped_up(here, pool, agents, items, len(fragment), int(coordination.brief is not None))

    def ramped_up(self, here: _Place, pool: int, agents: int, items: Fragment, size: int, first: int) -> Fragment:
        """A fan-out whose agents first ramp up. They come before all items in the queue of the crew.

        size : tasks of an item
        first : that of its tasks which takes the first agent
        """
        body = self.workflow.crews[self.pools[pool]].coordination.ramp_up
        assert body is not None
        loops = (*here.loops, Loop(agents, items=True))
        skip = (Skip(here.guard, loops),) if here.guard else ()
        work = Work(here.name, "ramp_up", body, self.workflow.model, loops, here.guard)
        ramp_ups = fanned_out(single(pool, pool, work, *skip), agents)
        both = side_by_side({"ramp_up": ramp_ups, "items": items}, {"ramp_up": (), "items": ()})
        if agents < self.sizes[self.pools[pool]]:  # agents to spare must not begin items without ramping up
            each = np.arange(agents, dtype=np.int32)
            waits = np.stack([each + 2, len(ramp_ups) + 2 + each * size + first], axis=1).astype(np.int32)
            return replace(both, edges=np.concatenate([both.edges, waits]))
        return both

    def coordination(self, pool: int, count: int) -> Coordination:
        """What the crew of a pool coordinates; nothing for one agent, or one item."""
        name = self.pools[pool] if pool != NO_POOL else ""
        if name in self.workflow.crews and min(self.sizes[name], count) > 1:
            return self.workflow.crews[name].coordination
        return Coordination()

    def pieces(self, here: _Place, step: Step) -> list[Piece]:
        """The pieces of an item, or of a step within one, whose agent is of `here.pool`."""
        if step.repeat is None:
            return self.round(here, step)
        times, inside = self.rounds(here, step)
        pieces = self.round(inside, step)
        loop = inside.loops[-1]
        return [
            replace(piece, rounds=(loop, *piece.rounds), inner=(number, *piece.inner))
            for number in range(times)
            for piece in pieces
        ]

    def round(self, here: _Place, step: Step) -> list[Piece]:
        """One round of a step within an item."""
        if step.steps is not None:
            around = replace(here, path=(*here.path, "steps"))
            names = ordered(step.steps)
            inner = [(self.enter(around, name, step.steps[name]), step.steps[name]) for name in names]
            return [piece for place, one in inner for piece in self.inner(place, one)]
        if step.choose is not None:
            return [piece for _, branch, place in self.branches(here, step) for piece in self.inner(place, branch)]
        return [Piece(self.holds(step, here.pool), self.work(here, step), here.guard)]

    def inner(self, here: _Place, step: Step) -> list[Piece]:
        """A step within an item."""
        if step.for_each is None:
            return self.pieces(here, step)
        return [Piece(NO_POOL, self.fan_out(here, step), here.guard)]

    def holds(self, step: Step, pool: int) -> int:
        """The pool whose agent a step of an item needs: none for people and for tools that let it go."""
        if step.kind == "human":
            return self.pool(step.crew) if step.crew else NO_POOL
        return pool if step.hold else NO_POOL


def _reading(pieces: list[Piece], brief: Work) -> list[Piece]:
    """The same pieces, where the first request reads the brief."""
    for piece in pieces:
        first = piece.content
        if isinstance(first, Work) and first.model is not None:
            reader = replace(first, reads=brief)
            return [replace(one, content=reader) if one.content is first else one for one in pieces]
    return pieces


def ordered(steps: Mapping[str, Step]) -> list[str]:
    """Names of steps in topological, then declared order."""
    names = list(steps)
    place = {name: index for index, name in enumerate(names)}
    missing = {name: set(step.needs) for name, step in steps.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in names}
    for name, needs in missing.items():
        for need in needs:
            needed_by[need].append(name)
    ready = [place[name] for name in names if not missing[name]]
    done: list[str] = []
    while ready:
        name = names[heappop(ready)]
        done.append(name)
        for other in needed_by[name]:
            missing[other].discard(name)
            if not missing[other]:
                heappush(ready, place[other])
    return done
