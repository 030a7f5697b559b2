"""Pieces of a task graph, put together in order, side by side, repeated, fanned out or raced. Ids are depth-first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np

from planner.engine.arrays import Ints
from planner.expansion.graph.graph_form import form_from_needs
from planner.expansion.graph.outline import (
    Chain,
    Group,
    Outline,
    Part,
    Replicas,
    Rounds,
    Task,
)

NO_POOL = -1

OWN_POOL = -2
"""A fragment's first pool of its own, of which the next is −3; they are numbered anew once the graph is whole."""


Subject = TypeVar("Subject")


@dataclass(frozen=True, eq=False)
class TaskMap(Generic[Subject]):
    """Where something stands in a graph.

    what : work, or a task that is skipped under some condition
    tasks : ids of its tasks, one for each occurrence; an axis for each loop around it, outermost first
    """

    subject: Subject
    tasks: Ints


def _rows(pairs: Sequence[Sequence[int]], columns: int = 2) -> Ints:
    return np.array(pairs, np.int32).reshape(-1, columns)


def _no_rows() -> Ints:
    return _rows([])


@dataclass(frozen=True, eq=False)
class People:
    """Steps of people in a fragment, as tasks.

    since : (m, 2) a person's step, and the step of theirs before it
    first : (k,) steps without one before them in the fragment
    last : their last step in it, or −1
    """

    since: Ints = field(default_factory=_no_rows)
    first: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    last: int = -1


@dataclass(frozen=True, eq=False)
class Fragment:
    """A part of a task graph that is entered at its first task and left at its last one.

    acquire, release : pool whose agent each task takes when it starts, gives back when it ends, or −1
    edges : (m, 2) predecessor, successor
    races : (r, 2) first task of a race, one past its last
    exits : (e, 3) exit of a copy, its race, first task of the copy
    own : how many pools of its own it has
    outline : how it is put together
    """

    acquire: Ints
    release: Ints
    edges: Ints
    task_maps: tuple[TaskMap[Any], ...] = ()
    races: Ints = field(default_factory=_no_rows)
    exits: Ints = field(default_factory=lambda: _rows([], 3))
    people: People = field(default_factory=People)
    own: int = 0
    outline: Outline = field(default_factory=lambda: Task(1))

    def __len__(self) -> int:
        return len(self.acquire)

    @property
    def exit(self) -> int:
        return len(self) - 1


def single_task(
    acquire: int, release: int, *what: object, person: bool = False, does: Sequence[tuple[object, tuple[int, ...]]] = ()
) -> Fragment:
    """One task.

    person : it is a step of somebody's
    does : what is done in it, in order, with its occurrence in the loops of its item
    """
    marks = tuple(TaskMap(one, np.zeros((), np.int32)) for one in what)
    people = People(first=np.zeros(1, np.int32), last=0) if person else People()
    return Fragment(
        np.array([acquire], np.int32), np.array([release], np.int32), _no_rows(), marks, people=people,
        outline=Task(1, tuple(does)),
    )  # fmt: skip


def in_order(fragments: Sequence[Fragment]) -> Fragment:
    """Each after the one before. Subject occurs in several of them keeps a mark for each; see `stacked`."""
    offsets = np.cumsum([0, *map(len, fragments)]).tolist()
    joints = [(before.exit + offsets[index], offsets[index + 1]) for index, before in enumerate(fragments[:-1])]
    last, before = -1, []
    for fragment, at in zip(fragments, offsets, strict=False):
        before.append(last)
        last = last if fragment.people.last < 0 else fragment.people.last + at
    outline = Chain(offsets[-1], tuple(Part(at, one.outline) for one, at in zip(fragments, offsets, strict=False)))
    return replace(joined(fragments, _rows(joints), before, last), outline=outline)


def stacked(fragment: Fragment, rounds: Mapping[object, tuple[int, ...]]) -> Fragment:
    """One mark for each thing: its occurrences along the axes of the loops that `rounds` gives."""
    found: dict[object, list[Ints]] = {}
    for mark in fragment.task_maps:
        found.setdefault(mark.subject, []).append(mark.tasks)
    marks = (
        TaskMap(what, np.stack(tasks).reshape(rounds.get(what, ()) + tasks[0].shape)) for what, tasks in found.items()
    )
    return replace(fragment, task_maps=tuple(marks))


def side_by_side(children: Mapping[str, Fragment], needs: Mapping[str, Sequence[str]]) -> Fragment:
    """A group: an entry, the children, each after those it needs, and an exit. Subject is needed comes first.

    Where several people have had steps before, a task that does nothing ends with the last of these.
    """
    fragments = [single_task(NO_POOL, NO_POOL)]
    joints: list[tuple[int, int]] = []
    at, before, size = {}, [-1], 1
    after: dict[str, frozenset[int]] = {}

    def add(fragment: Fragment, person: int) -> int:
        nonlocal size
        fragments.append(fragment)
        before.append(person)
        size += len(fragment)
        return size - len(fragment)

    def last_of(people: frozenset[int]) -> int:
        if len(people) < 2:
            return max(people, default=-1)
        joined = add(single_task(NO_POOL, NO_POOL), -1)
        joints.extend((person, joined) for person in sorted(people))
        return joined

    for name, child in children.items():
        person = last_of(frozenset().union(*(after[need] for need in needs[name])))
        at[name] = add(child, person)
        own = child.people.last
        after[name] = frozenset([own + at[name]] if own >= 0 else [person] if person >= 0 else [])
        sources = [children[need].exit + at[need] for need in dict.fromkeys(needs[name])] or [0]
        joints += [(source, at[name]) for source in sources]
    needed = {need for name in children for need in needs[name]}
    ends = [name for name in children if name not in needed]
    person = last_of(frozenset().union(*(after[name] for name in ends)))
    last = add(single_task(NO_POOL, NO_POOL), -1)
    joints += [(children[name].exit + at[name], last) for name in ends]
    parts = {name: Part(at[name], child.outline) for name, child in children.items()}
    outline = Group(size, form_from_needs({name: tuple(dict.fromkeys(needs[name])) for name in children}), parts)
    return replace(joined(fragments, _rows(joints), before, person), outline=outline)


def repeated(fragment: Fragment, times: int) -> Fragment:
    """Rounds, one after the other."""
    copies = _copies(fragment, times)
    starts = np.arange(times - 1, dtype=np.int32) * len(fragment)
    joints = np.stack([starts + fragment.exit, starts + len(fragment)], axis=1)
    people, size = copies.people, len(fragment)
    if fragment.people.last >= 0:
        later = people.first[len(fragment.people.first) :]
        since = np.stack([later, (later // size - 1) * size + fragment.people.last], axis=1)
        last = fragment.people.last + (times - 1) * size
        people = People(_stack([people.since, since]), fragment.people.first, last)
    outline = Rounds(len(copies), times, fragment.outline)
    return replace(copies, edges=_stack([copies.edges, joints]), people=people, outline=outline)


def fanned_out(fragment: Fragment, count: int, joints: Sequence[tuple[int, int]] = (), barriers: int = 0) -> Fragment:
    """An entry, `count` copies side by side, `barriers` tasks that do nothing, and an exit.

    joints : more edges; copy k begins at 1 + k · len(fragment), and the barriers behind the copies
    """
    copies = _copies(fragment, count)
    starts = np.arange(count, dtype=np.int32) * len(fragment)
    last = len(copies) + barriers + 1
    begin = np.stack([np.zeros(count, np.int32), starts + 1], axis=1)
    finish = np.stack([starts + fragment.exit + 1, np.full(count, last, np.int32)], axis=1)
    entry, ends = single_task(NO_POOL, NO_POOL), [single_task(NO_POOL, NO_POOL)] * (barriers + 1)
    edges = _stack([begin, finish, _rows(joints)])
    person = last if fragment.people.last >= 0 else -1
    found = joined([entry, copies, *ends], edges, [-1] * (barriers + 3), person)
    return replace(found, outline=Replicas(last + 1, count, fragment.outline))


def raced(fragment: Fragment, count: int) -> Fragment:
    """Copies side by side, of which the first to end cancels the others."""
    copies = fanned_out(fragment, count)
    starts = 1 + np.arange(count, dtype=np.int32) * len(fragment)
    race = len(copies.races)
    exits = np.stack([starts + fragment.exit, np.full(count, race, np.int32), starts], axis=1)
    races = _stack([copies.races, _rows([(1, copies.exit)])])
    outline = Replicas(len(copies), count, fragment.outline, race=True)
    return replace(copies, races=races, exits=_stack([copies.exits, exits]), outline=outline)


def _stack(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts).astype(np.int32)


def _copies(fragment: Fragment, count: int) -> Fragment:
    """Copies behind each other, not joined; their people know nothing of each other."""
    size = len(fragment)
    starts = np.arange(count, dtype=np.int32) * size
    races = np.arange(count, dtype=np.int32) * len(fragment.races)
    marks = []
    for mark in fragment.task_maps:
        tasks = starts.reshape((count,) + (1,) * mark.tasks.ndim) + mark.tasks
        marks.append(TaskMap(mark.subject, tasks.astype(np.int32)))

    def shifted(rows: Ints) -> Ints:
        return (rows[None] + starts.reshape((count,) + (1,) * rows.ndim)).reshape((-1, *rows.shape[1:]))

    exits = fragment.exits[None] + np.stack([starts, races, starts], axis=1)[:, None]
    own = np.repeat(np.arange(count, dtype=np.int32) * fragment.own, size)
    return Fragment(
        _own_after(np.tile(fragment.acquire, count), own),
        _own_after(np.tile(fragment.release, count), own),
        shifted(fragment.edges),
        tuple(marks),
        shifted(fragment.races),
        exits.reshape(-1, 3),
        People(shifted(fragment.people.since), shifted(fragment.people.first), fragment.people.last),
        fragment.own * count,
    )


def _own_after(pools: Ints, before: Ints | int) -> Ints:
    """Pools, those of one's own numbered behind so many others."""
    return np.where(pools <= OWN_POOL, pools - before, pools).astype(np.int32)


def number_pools(pools: Ints, others: int) -> Ints:
    """Pools of a whole graph: those of a fragment's own come behind so many others."""
    return np.where(pools <= OWN_POOL, others + OWN_POOL - pools, pools).astype(np.int32)


def joined(fragments: Sequence[Fragment], joints: Ints, before: Sequence[int], person: int) -> Fragment:
    """Fragments behind each other; the outline is for the caller to tell.

    joints : edges between them
    before : the step of a person before each of them, or −1
    person : the last step of a person in all
    """
    offsets = np.cumsum([0, *map(len, fragments)])[:-1].astype(np.int32)
    races = np.cumsum([0, *(len(fragment.races) for fragment in fragments)])[:-1].astype(np.int32)
    owned = np.cumsum([0, *(fragment.own for fragment in fragments)]).tolist()
    placed = list(zip(fragments, offsets, strict=True))
    exits = [one.exits + np.array([at, race, at], np.int32) for (one, at), race in zip(placed, races, strict=True)]
    since = [fragment.people.since + at for fragment, at in placed]
    first = [np.empty(0, np.int32)]
    for (fragment, at), last in zip(placed, before, strict=True):
        found = fragment.people.first + at
        if last < 0:
            first.append(found)
        else:
            since.append(np.stack([found, np.full(len(found), last)], axis=1))
    return Fragment(
        np.concatenate([_own_after(one.acquire, ahead) for one, ahead in zip(fragments, owned, strict=False)]),
        np.concatenate([_own_after(one.release, ahead) for one, ahead in zip(fragments, owned, strict=False)]),
        _stack([*(fragment.edges + at for fragment, at in placed), joints]),
        tuple(TaskMap(mark.subject, mark.tasks + at) for fragment, at in placed for mark in fragment.task_maps),
        _stack([fragment.races + at for fragment, at in placed]),
        _stack(exits),
        People(_stack(since), _stack(first), person),
        owned[-1],
    )  # fmt: skip
