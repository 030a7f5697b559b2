"""The supersteps of a graph in; a fragment of a task graph out, with barriers and a limit on concurrent tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.engine.arrays import Ints
from planner.expansion.graph.fragments import (
    LIMIT,
    NO_POOL,
    OWN_POOL,
    Fragment,
    People,
    TaskMap,
    concatenated,
    single_task,
)
from planner.expansion.graph.outline import Dispatch, Group, Part
from planner.expansion.supersteps.token_game import GraphRun, Key, NodeRun

Content = Callable[[Key], Fragment]
"""A function from the key of a node's run to the tasks of the run. It is not called for subgraphs."""


@dataclass(frozen=True)
class RunSpan:
    """Subject of a `TaskMap` with two tasks: the first and the last task of a node's run.

    key : key of the run
    """

    key: Key


def superstep_graph(
    graph_run: GraphRun, content: Content, limit: int | None, barriers: bool = True, with_spans: bool = False
) -> Fragment:
    """Return the tasks of a graph's run, in the order in which LangGraph starts them.

    content : function that returns the tasks of a node's run
    limit : largest number of concurrent tasks in each graph (`max_concurrency`); None: no limit. A subgraph counts as
        one task
    barriers : whether a superstep waits for all runs of the previous superstep. Otherwise a run waits only for the runs
        that caused it
    with_spans : whether to add a `RunSpan` for each run
    """
    return _GraphLayout(_Options(content, limit, barriers, with_spans), graph_run, ()).fragment()


@dataclass(frozen=True)
class _Options:
    """The arguments of `superstep_graph`. They apply to subgraphs too."""

    content: Content
    limit: int | None
    barriers: bool
    with_spans: bool


class _GraphLayout:
    """Builds the tasks of one run of a graph. Fragments are added one after another, with edges between them."""

    def __init__(self, options: _Options, graph_run: GraphRun, key: Key) -> None:
        self.options, self.graph_run, self.key = options, graph_run, key
        self.limited = self.may_limit()
        self.fragments = [_no_work()]
        self.size = 1
        self.joints: list[tuple[int, int]] = []
        self.persons_before = [-1]  # for each fragment: a person's task, or −1
        self.seizing: list[int] = []
        self.releasing: list[int] = []
        self.ends: dict[NodeRun, int] = {}
        self.last_people: dict[NodeRun, frozenset[int]] = {}
        self.parts: dict[str, Part] = {}

    def may_limit(self) -> bool:
        """Whether the limit on concurrent tasks may make a task of the graph wait."""
        widths = [len(superstep) for superstep in self.graph_run.supersteps] or [0]
        widest = max(widths) if self.options.barriers else sum(widths)
        return self.options.limit is not None and widest > self.options.limit

    def fragment(self) -> Fragment:
        opening = 0
        for number, superstep in enumerate(self.graph_run.supersteps):
            if number and self.options.barriers:
                opening = self.add(_no_work(), self.ends_of(self.graph_run.supersteps[number - 1]))
            for run in superstep:
                after = [opening] if self.options.barriers or not run.causes else self.ends_of(run.causes)
                self.add_run(run, after)
        person = self.add_exit()
        fragment = concatenated(
            self.fragments, np.array(self.joints, np.int32).reshape(-1, 2), self.persons_before, person
        )
        outline = Group(self.size, self.graph_run.form, self.parts, limited=self.limited)
        fragment = replace(fragment, outline=outline)
        if not self.limited:
            return fragment
        return with_own_pool(fragment, LIMIT, self.options.limit or 1, self.seizing, self.releasing)

    def add_run(self, run: NodeRun, after: Sequence[int]) -> None:
        """Add the tasks of a node's run to the graph.

        after : tasks that must end before the run begins
        """
        key = (*self.key, (run.node, run.number))
        if run.inner is None:
            child = self.options.content(key)
        else:
            child = _GraphLayout(self.options, run.inner, key).fragment()
        if self.options.with_spans:
            span = TaskMap(RunSpan(key), np.array([0, child.exit], np.int32))
            child = replace(child, task_maps=(*child.task_maps, span))
        person = self.last_person(run.causes)
        if self.limited:
            self.seizing.append(self.add(_no_work(), after))
            after = self.seizing[-1:]
        start = self.add(child, after, person)
        own = child.people.last
        self.last_people[run] = frozenset([own + start] if own >= 0 else [person] if person >= 0 else [])
        self.parts[run.node] = Part(start, child.outline)
        self.ends[run] = start + child.exit
        if self.limited:
            self.releasing.append(self.add(_no_work(), [self.ends[run]]))
            self.ends[run] = self.releasing[-1]

    def add_exit(self) -> int:
        """Add the last task of the graph. Return the last task of a person in the graph, or −1 if there is none."""
        supersteps = self.graph_run.supersteps
        causes = {cause for superstep in supersteps for run in superstep for cause in run.causes}
        final = [run for run in self.ends if run not in causes]
        person = self.last_person(final)
        last_superstep = self.ends_of(supersteps[-1]) if self.options.barriers and supersteps else []
        self.add(_no_work(), last_superstep or self.ends_of(final) or [0])
        return person

    def add(self, fragment: Fragment, after: Iterable[int], person: int = -1) -> int:
        """Add a fragment to the graph, and return the number of the fragment's first task.

        after : tasks that must end before the fragment begins
        person : last task of a person before the fragment; −1: there is none
        """
        self.fragments.append(fragment)
        self.persons_before.append(person)
        start, self.size = self.size, self.size + len(fragment)
        self.joints.extend((task, start) for task in after)
        return start

    def last_person(self, runs: Iterable[NodeRun]) -> int:
        """Return the last task of a person in these runs or before these runs, or −1 if there is none.

        If there are several such tasks, add a task that waits for all of them, and return the added task.
        """
        tasks = sorted(frozenset().union(*(self.last_people[run] for run in runs)))
        return self.add(_no_work(), tasks) if len(tasks) > 1 else max(tasks, default=-1)

    def ends_of(self, runs: Iterable[NodeRun]) -> list[int]:
        return [self.ends[run] for run in runs]


def _no_work() -> Fragment:
    return single_task(NO_POOL, NO_POOL)


def with_own_pool(
    fragment: Fragment, name: str, slots: int, seizing: Sequence[int], releasing: Sequence[int]
) -> Fragment:
    """Return the fragment with one more pool, which belongs only to this fragment.

    name, slots : name and number of slots of the pool
    seizing : tasks that seize a slot of the pool
    releasing : tasks that release a slot of the pool
    """

    def moved(pools: Ints, tasks: Sequence[int]) -> Ints:
        new = pools.copy()
        new[list(tasks)] = OWN_POOL - len(fragment.own_pools)
        return new

    acquire, release = moved(fragment.acquire, seizing), moved(fragment.release, releasing)
    return replace(fragment, acquire=acquire, release=release, own_pools=(*fragment.own_pools, (name, slots)))


def dispatched(fragment: Fragment, outline: Dispatch, runs: Sequence[tuple[int, int]], limit: int | None) -> Fragment:
    """Return a fan-out in which at most `limit` runs are active at the same time.

    fragment : the fan-out without a limit
    outline : tree of how the tasks of the fan-out are composed
    runs : first and last task of each run, in the order in which the runs are sent
    limit : largest number of active runs; None: no limit

    The fragment and each of its parts must begin and end with a task without work.

    If there are more than `limit` runs, two tasks are added for each run: the first seizes a slot, and the second
    releases the slot. Seizing tasks are numbered before all runs, and releasing tasks after all runs.
    """
    if limit is None or len(runs) <= limit:
        return replace(fragment, outline=outline)
    count, last = len(runs), fragment.exit
    frame = {0, last, *(edge for part in outline.parts for edge in (part.at, part.at + part.outline.size - 1))}
    seizing = {first: 1 + number for number, (first, _) in enumerate(runs)}
    releasing = {end: last + count + number for number, (_, end) in enumerate(runs)}
    moved = np.arange(len(fragment), dtype=np.int32) + count  # old task → new task
    moved[0], moved[last] = 0, last + 2 * count

    def edge(source: int, target: int) -> tuple[int, int]:
        return (
            releasing[source] if source in releasing and target in frame else int(moved[source]),
            seizing[target] if target in seizing and source in frame else int(moved[target]),
        )

    edges = [edge(source, target) for source, target in fragment.edges.tolist()]
    edges += [(seizing[first], int(moved[first])) for first, _ in runs]
    edges += [(int(moved[end]), releasing[end]) for _, end in runs]
    no_pools = np.full(len(fragment) + 2 * count, NO_POOL, np.int32)
    acquire, release = no_pools.copy(), no_pools.copy()
    acquire[moved], release[moved] = fragment.acquire, fragment.release
    people = fragment.people
    last_person = int(moved[people.last]) if people.last >= 0 else -1
    moved_outline = Dispatch(
        len(no_pools),
        tuple(Part(part.at + count, part.outline) for part in outline.parts),
        tuple((source + count, target + count) for source, target in outline.joints),
        outline.order,
        limited=True,
    )
    whole = Fragment(
        acquire,
        release,
        np.array(edges, np.int32),
        tuple(TaskMap(task_map.subject, moved[task_map.tasks]) for task_map in fragment.task_maps),
        np.stack([moved[fragment.races[:, 0]], moved[fragment.races[:, 1] - 1] + 1], axis=1),
        np.stack([moved[fragment.exits[:, 0]], fragment.exits[:, 1], moved[fragment.exits[:, 2]]], axis=1),
        People(moved[people.previous], moved[people.first], last_person),
        fragment.own_pools,
        moved_outline,
    )
    return with_own_pool(whole, LIMIT, limit, list(seizing.values()), list(releasing.values()))
