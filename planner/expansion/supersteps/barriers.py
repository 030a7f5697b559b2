"""Supersteps in, a fragment of a task graph out: barriers between them, and a pool where so many may run at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.engine.arrays import Ints
from planner.expansion.graph.fragments import NO_POOL, OWN_POOL, Fragment, People, TaskMap, joined, single_task
from planner.expansion.graph.outline import Dispatch, Group, Part
from planner.expansion.supersteps.token_game import GraphRun, Key, NodeRun

Content = Callable[[Key], Fragment]
"""What a run does that is no graph."""


@dataclass(frozen=True)
class Ran:
    """Marks the first and the last task of a run."""

    key: Key


def superstep_graph(
    graph_run: GraphRun, content: Content, limit: int | None, barriers: bool = True, with_spans: bool = False
) -> Fragment:
    """The tasks of a graph in the order in which LangGraph starts them.

    limit : tasks at a time in each graph (`max_concurrency`), None: any number. A node that is a graph takes one.
    barriers : a superstep waits for all of the one before; else a run waits for those that caused it, as if there
        were no supersteps
    with_spans : each run has a mark, `Ran`
    """
    return _Layout(content, limit, barriers, with_spans).graph(graph_run, ())


class _Layout:
    def __init__(self, content: Content, limit: int | None, barriers: bool, with_spans: bool) -> None:
        self.content, self.limit, self.barriers, self.with_spans = content, limit, barriers, with_spans

    def graph(self, graph_run: GraphRun, key: Key) -> Fragment:
        fragments = [single_task(NO_POOL, NO_POOL)]
        joints: list[tuple[int, int]] = []
        takes: list[int] = []
        gives: list[int] = []
        before = [-1]  # the last step of a person before each fragment
        people: dict[NodeRun, frozenset[int]] = {}
        ends: dict[NodeRun, int] = {}
        parts: dict[str, Part] = {}
        size = 1

        def add(fragment: Fragment, after: Sequence[int], person: int = -1) -> int:
            nonlocal size
            fragments.append(fragment)
            before.append(person)
            at, size = size, size + len(fragment)
            joints.extend((source, at) for source in after)
            return at

        def last_of(runs: Sequence[NodeRun]) -> int:
            found = sorted(frozenset().union(*(people[run] for run in runs)))
            return add(single_task(NO_POOL, NO_POOL), found) if len(found) > 1 else max(found, default=-1)

        limited = self.binds(graph_run)
        opened = 0
        for number, superstep in enumerate(graph_run.supersteps):
            if number and self.barriers:
                opened = add(single_task(NO_POOL, NO_POOL), [ends[run] for run in graph_run.supersteps[number - 1]])
            for run in superstep:
                here = (*key, (run.node, run.number))
                child = self.content(here) if run.inner is None else self.graph(run.inner, here)
                if self.with_spans:
                    span = TaskMap(Ran(here), np.array([0, child.exit], np.int32))
                    child = replace(child, task_maps=(*child.task_maps, span))
                after = [opened] if self.barriers or not run.causes else [ends[cause] for cause in run.causes]
                person = last_of(run.causes)
                if limited:
                    takes.append(add(single_task(NO_POOL, NO_POOL), after))
                    after = takes[-1:]
                at = add(child, after, person)
                own = child.people.last
                people[run] = frozenset([own + at] if own >= 0 else [person] if person >= 0 else [])
                parts[run.node] = Part(at, child.outline)
                ends[run] = at + child.exit
                if limited:
                    gives.append(add(single_task(NO_POOL, NO_POOL), [ends[run]]))
                    ends[run] = gives[-1]
        caused = {cause for superstep in graph_run.supersteps for run in superstep for cause in run.causes}
        final = [run for run in ends if run not in caused]
        person = last_of(final)
        waited = [ends[run] for run in graph_run.supersteps[-1]] if self.barriers and graph_run.supersteps else []
        add(single_task(NO_POOL, NO_POOL), waited or [ends[run] for run in final] or [0])
        found = joined(fragments, np.array(joints, np.int32).reshape(-1, 2), before, person)
        found = replace(found, outline=Group(size, graph_run.form, parts, limited=limited))
        return limited_to(found, takes, gives) if limited else found

    def binds(self, graph_run: GraphRun) -> bool:
        """Whether the limit may keep a task of this graph waiting."""
        widths = [len(superstep) for superstep in graph_run.supersteps] or [0]
        return self.limit is not None and (max(widths) if self.barriers else sum(widths)) > self.limit


def limited_to(fragment: Fragment, takes: Sequence[int], gives: Sequence[int]) -> Fragment:
    """A fragment with one more pool of its own, which these tasks take from and give back to."""

    def moved(pools: Ints, tasks: Sequence[int]) -> Ints:
        new = pools.copy()
        new[list(tasks)] = OWN_POOL - fragment.own
        return new

    acquire, release = moved(fragment.acquire, takes), moved(fragment.release, gives)
    return replace(fragment, acquire=acquire, release=release, own=fragment.own + 1)


def sent(fragment: Fragment, outline: Dispatch, runs: Sequence[tuple[int, int]], limit: int | None) -> Fragment:
    """A fan-out whose `runs`, each from its first task to its last, take turns: so many at a time.

    outline : of the fragment; its first and last tasks, and those of its parts, open and close it

    Takes stand before all runs, in the order in which these are sent, and gives behind them.
    """
    if limit is None or len(runs) <= limit:
        return replace(fragment, outline=outline)
    count, last = len(runs), fragment.exit
    around = {0, last, *(edge for part in outline.parts for edge in (part.at, part.at + part.outline.size - 1))}
    take = {first: 1 + number for number, (first, _) in enumerate(runs)}
    give = {end: last + count + number for number, (_, end) in enumerate(runs)}
    new = np.arange(len(fragment), dtype=np.int32) + count
    new[0], new[last] = 0, last + 2 * count

    def edge(source: int, target: int) -> tuple[int, int]:
        return (
            give[source] if source in give and target in around else int(new[source]),
            take[target] if target in take and source in around else int(new[target]),
        )

    edges = [edge(source, target) for source, target in fragment.edges.tolist()]
    edges += [(take[first], int(new[first])) for first, _ in runs] + [(int(new[end]), give[end]) for _, end in runs]
    none = np.full(len(fragment) + 2 * count, NO_POOL, np.int32)
    acquire, release = none.copy(), none.copy()
    acquire[new], release[new] = fragment.acquire, fragment.release
    people = fragment.people
    races = np.stack([new[fragment.races[:, 0]], new[fragment.races[:, 1] - 1] + 1], axis=1)
    exits = np.stack([new[fragment.exits[:, 0]], fragment.exits[:, 1], new[fragment.exits[:, 2]]], axis=1)
    moved = Dispatch(
        len(none), tuple(Part(part.at + count, part.outline) for part in outline.parts),
        tuple((source + count, target + count) for source, target in outline.joints), outline.order, True,
    )  # fmt: skip
    return limited_to(
        Fragment(
            acquire, release, np.array(edges, np.int32),
            tuple(TaskMap(mark.subject, new[mark.tasks]) for mark in fragment.task_maps), races, exits,
            People(new[people.since], new[people.first], int(new[people.last]) if people.last >= 0 else -1),
            fragment.own, moved,
        ),
        list(take.values()), list(give.values()),
    )  # fmt: skip
