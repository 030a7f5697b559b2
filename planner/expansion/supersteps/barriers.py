"""The supersteps of a graph in; a fragment of a task graph out, with barriers and a limit on concurrent tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.expansion.graph.fragments import (
    LIMIT,
    NO_POOL,
    Fragment,
    TaskMap,
    concatenated,
    single_task,
)
from planner.expansion.graph.outline import Group, Part
from planner.expansion.supersteps.limits import with_own_pool
from planner.expansion.supersteps.token_game import GraphRun, Key, NodeRun

Content = Callable[[Key], Fragment]
"""A function from the key of a node's run to the tasks of the run. It is not called for subgraphs."""


@dataclass(frozen=True)
class RunSpan:
    """Label in a task graph for the first and the last task of a run of a node.

    key : names and run numbers that lead to the run: those of the subgraphs around it, then those of the node itself
    """

    key: Key


def superstep_graph(
    graph_run: GraphRun, content: Content, limit: int | None, barriers: bool = True, with_spans: bool = False
) -> Fragment:
    """Return the tasks of a graph's run, in the order in which LangGraph starts them.

    content : function that returns the tasks of a node's run
    limit : largest number of concurrent tasks in each graph (`max_concurrency`); None: no limit. A subgraph counts as
        one task
    barriers : true: a superstep waits for all runs of the previous superstep; false: a run waits only for the runs that
        caused it
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
        causes = {cause for superstep in self.graph_run.supersteps for run in superstep for cause in run.causes}
        final = [run for run in self.ends if run not in causes]
        person = self.last_person(final)
        self.add_exit(final)
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

    def add_exit(self, final: Sequence[NodeRun]) -> None:
        """Add the last task of the graph, which waits for all other tasks.

        final : runs that caused no other runs
        """
        supersteps = self.graph_run.supersteps
        last_superstep = self.ends_of(supersteps[-1]) if self.options.barriers and supersteps else []
        self.add(_no_work(), last_superstep or self.ends_of(final) or [0])

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
