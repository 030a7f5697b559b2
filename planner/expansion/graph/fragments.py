"""Fragments of a task graph and how they compose: in sequence, side by side, repeated, fanned out, raced.

Every function returns a new fragment whose tasks are numbered depth-first.
"""

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

LIMIT = "max_concurrency: "
"""Name of the pools that limit concurrent tasks, one pool for each LangGraph graph. No crew can have this name."""

RAMPED_UP = "ramped up: "
"""Name of the pools of agents that have ramped up for a fan-out. No crew can have this name."""

OWN_POOL = -2
"""Number of the first pool that belongs to a fragment. The next pools have the numbers −3, −4, …

`build.pools.number_pools` renumbers these pools for the whole graph.
"""


Subject = TypeVar("Subject")


@dataclass(frozen=True, eq=False)
class TaskMap(Generic[Subject]):
    """The tasks of each occurrence of a `Work` or of a condition.

    subject : a `Work`, or a condition under which tasks are skipped
    tasks : array of tasks, with one axis for each loop around the subject, outermost loop first
    """

    subject: Subject
    tasks: Ints


def _rows(pairs: Sequence[Sequence[int]], columns: int = 2) -> Ints:
    return np.array(pairs, np.int32).reshape(-1, columns)


def _no_rows() -> Ints:
    return _rows([])


@dataclass(frozen=True, eq=False)
class People:
    """The tasks of people in a part of a task graph.

    Between two tasks, a person waits and may turn to something else. These fields say when each wait begins.

    previous : array (pairs, 2): a task of a person, and the earlier task at whose end the person's wait begins
    first : tasks of people that come after no other task of a person in this part
    last : last task of a person in this part; −1: there is none
    """

    previous: Ints = field(default_factory=_no_rows)
    first: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    last: int = -1


@dataclass(frozen=True, eq=False)
class Fragment:
    """A part of a task graph. It starts with its first task and ends with its last task.

    acquire : pool from which each task seizes an agent at its start, or `NO_POOL`
    release : pool to which each task releases an agent at its end, or `NO_POOL`
    edges : array (edges, 2): a task, and a task that waits for it
    task_maps : tasks of each `Work` and of each condition
    races : array (races, 2). A row (5, 9) means that tasks 5 to 8 are the copies of a race
    exits : array (copies, 3) with a row for each copy in a race: last task of the copy, number of the race, first task
        of the copy
    people : tasks of people
    own_pools : name and number of slots of each pool that only tasks of this fragment use
    outline : tree that describes how the tasks are composed
    """

    acquire: Ints
    release: Ints
    edges: Ints
    task_maps: tuple[TaskMap[Any], ...] = ()
    races: Ints = field(default_factory=_no_rows)
    exits: Ints = field(default_factory=lambda: _rows([], 3))
    people: People = field(default_factory=People)
    own_pools: tuple[tuple[str, int], ...] = ()
    outline: Outline = field(default_factory=lambda: Task(1))

    def __len__(self) -> int:
        return len(self.acquire)

    @property
    def exit(self) -> int:
        return len(self) - 1


def single_task(
    acquire: int,
    release: int,
    *subjects: object,
    person: bool = False,
    does: Sequence[tuple[object, tuple[int, ...]]] = (),
) -> Fragment:
    """Return a fragment of one task.

    acquire : pool from which the task seizes an agent, or `NO_POOL`
    release : pool to which the task releases an agent, or `NO_POOL`
    subjects : each `Work` and each condition of the task
    person : whether a person does the task
    does : each `Work` of the task in order, with its occurrence inside the item, such as (2,) for round 2
    """
    task_maps = tuple(TaskMap(subject, np.zeros((), np.int32)) for subject in subjects)
    people = People(first=np.zeros(1, np.int32), last=0) if person else People()
    return Fragment(
        np.array([acquire], np.int32),
        np.array([release], np.int32),
        _no_rows(),
        task_maps,
        people=people,
        outline=Task(1, tuple(does)),
    )


def in_sequence(fragments: Sequence[Fragment]) -> Fragment:
    """Return one fragment in which the given fragments run one after another.

    A `Work` in several fragments has several task maps in the result. `with_merged_maps` merges them.
    """
    offsets = np.cumsum([0, *map(len, fragments)]).tolist()
    joints = [(earlier.exit + offsets[number], offsets[number + 1]) for number, earlier in enumerate(fragments[:-1])]
    last, persons_before = -1, []
    for fragment, offset in zip(fragments, offsets, strict=False):
        persons_before.append(last)
        last = last if fragment.people.last < 0 else fragment.people.last + offset
    parts = tuple(Part(offset, fragment.outline) for fragment, offset in zip(fragments, offsets, strict=False))
    return replace(concatenated(fragments, _rows(joints), persons_before, last), outline=Chain(offsets[-1], parts))


def with_merged_maps(fragment: Fragment, rounds: Mapping[object, tuple[int, ...]]) -> Fragment:
    """Return a fragment in which one array has the tasks of all rounds of a work or of a condition.

    The given fragment has a separate array for each round. For example, 3 rounds with arrays of shape (4,) become one
    array of shape (3, 4).

    rounds : for each `Work` and condition, the numbers of rounds of the loops around it, beginning with the outermost
    """
    tasks_of: dict[object, list[Ints]] = {}
    for task_map in fragment.task_maps:
        tasks_of.setdefault(task_map.subject, []).append(task_map.tasks)
    task_maps = (
        TaskMap(subject, np.stack(tasks).reshape(rounds.get(subject, ()) + tasks[0].shape))
        for subject, tasks in tasks_of.items()
    )
    return replace(fragment, task_maps=tuple(task_maps))


def in_group(children: Mapping[str, Fragment], needs: Mapping[str, Sequence[str]]) -> Fragment:
    """Return a group of children: each child starts once all children that it needs have ended.

    A first task without duration comes before all children, and a last one after them. If a child comes after tasks of
    several people, another task without duration waits for all of these people's tasks.

    children : fragments by name, in an order in which each child comes after the children that it needs
    needs : for each child, the names of the children that it needs
    """
    fragments = [single_task(NO_POOL, NO_POOL)]
    joints: list[tuple[int, int]] = []
    starts, persons_before, size = {}, [-1], 1
    last_people: dict[str, frozenset[int]] = {}

    def add(fragment: Fragment, person: int) -> int:
        nonlocal size
        fragments.append(fragment)
        persons_before.append(person)
        size += len(fragment)
        return size - len(fragment)

    def last_of(people: frozenset[int]) -> int:
        if len(people) < 2:
            return max(people, default=-1)
        meeting = add(single_task(NO_POOL, NO_POOL), -1)
        joints.extend((person, meeting) for person in sorted(people))
        return meeting

    for name, child in children.items():
        person = last_of(frozenset().union(*(last_people[need] for need in needs[name])))
        starts[name] = add(child, person)
        own = child.people.last
        last_people[name] = frozenset([own + starts[name]] if own >= 0 else [person] if person >= 0 else [])
        sources = [children[need].exit + starts[need] for need in dict.fromkeys(needs[name])] or [0]
        joints += [(source, starts[name]) for source in sources]
    needed = {need for name in children for need in needs[name]}
    ends = [name for name in children if name not in needed]
    person = last_of(frozenset().union(*(last_people[name] for name in ends)))
    last = add(single_task(NO_POOL, NO_POOL), -1)
    joints += [(children[name].exit + starts[name], last) for name in ends]
    parts = {name: Part(starts[name], child.outline) for name, child in children.items()}
    form = form_from_needs({name: tuple(dict.fromkeys(needs[name])) for name in children})
    return replace(concatenated(fragments, _rows(joints), persons_before, person), outline=Group(size, form, parts))


def repeated(fragment: Fragment, times: int) -> Fragment:
    """Return `times` rounds of the fragment, one after another."""
    rounds = _replicated(fragment, times)
    starts = np.arange(times - 1, dtype=np.int32) * len(fragment)
    joints = np.stack([starts + fragment.exit, starts + len(fragment)], axis=1)
    people, size = rounds.people, len(fragment)
    if fragment.people.last >= 0:
        later = people.first[len(fragment.people.first) :]
        previous = np.stack([later, (later // size - 1) * size + fragment.people.last], axis=1)
        last = fragment.people.last + (times - 1) * size
        people = People(_stack([people.previous, previous]), fragment.people.first, last)
    outline = Rounds(len(rounds), times, fragment.outline)
    return replace(rounds, edges=_stack([rounds.edges, joints]), people=people, outline=outline)


def fanned_out(fragment: Fragment, count: int, joints: Sequence[tuple[int, int]] = (), barriers: int = 0) -> Fragment:
    """Return `count` copies of the fragment side by side, with an entry task and an exit task.

    joints : additional edges. Copy `k` begins at task `1 + k * len(fragment)`
    barriers : number of added tasks without duration. They are numbered after the copies
    """
    copies = _replicated(fragment, count)
    starts = np.arange(count, dtype=np.int32) * len(fragment)
    last = len(copies) + barriers + 1
    begin = np.stack([np.zeros(count, np.int32), starts + 1], axis=1)
    finish = np.stack([starts + fragment.exit + 1, np.full(count, last, np.int32)], axis=1)
    entry, ends = single_task(NO_POOL, NO_POOL), [single_task(NO_POOL, NO_POOL)] * (barriers + 1)
    edges = _stack([begin, finish, _rows(joints)])
    person = last if fragment.people.last >= 0 else -1
    whole = concatenated([entry, copies, *ends], edges, [-1] * (barriers + 3), person)
    return replace(whole, outline=Replicas(last + 1, count, fragment.outline))


def raced(fragment: Fragment, count: int) -> Fragment:
    """Return `count` copies of the fragment side by side. The first copy to end cancels all other copies."""
    copies = fanned_out(fragment, count)
    starts = 1 + np.arange(count, dtype=np.int32) * len(fragment)
    race = len(copies.races)
    exits = np.stack([starts + fragment.exit, np.full(count, race, np.int32), starts], axis=1)
    races = _stack([copies.races, _rows([(1, copies.exit)])])
    outline = Replicas(len(copies), count, fragment.outline, race=True)
    return replace(copies, races=races, exits=_stack([copies.exits, exits]), outline=outline)


def _stack(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts).astype(np.int32)


def _replicated(fragment: Fragment, count: int) -> Fragment:
    """Return `count` copies of the fragment, with consecutive task numbers. There are no edges between copies.

    Each task map gets a new first axis for the copies.
    """
    size = len(fragment)
    starts = np.arange(count, dtype=np.int32) * size
    races = np.arange(count, dtype=np.int32) * len(fragment.races)
    task_maps = []
    for task_map in fragment.task_maps:
        tasks = starts.reshape((count,) + (1,) * task_map.tasks.ndim) + task_map.tasks
        task_maps.append(TaskMap(task_map.subject, tasks.astype(np.int32)))

    def shifted(rows: Ints) -> Ints:
        return (rows[None] + starts.reshape((count,) + (1,) * rows.ndim)).reshape((-1, *rows.shape[1:]))

    exits = fragment.exits[None] + np.stack([starts, races, starts], axis=1)[:, None]
    earlier_pools = np.repeat(np.arange(count, dtype=np.int32) * len(fragment.own_pools), size)
    return Fragment(
        _shifted_pools(np.tile(fragment.acquire, count), earlier_pools),
        _shifted_pools(np.tile(fragment.release, count), earlier_pools),
        shifted(fragment.edges),
        tuple(task_maps),
        shifted(fragment.races),
        exits.reshape(-1, 3),
        People(shifted(fragment.people.previous), shifted(fragment.people.first), fragment.people.last),
        fragment.own_pools * count,
    )


def _shifted_pools(pools: Ints, earlier: Ints | int) -> Ints:
    """Return `pools` with new numbers for pools that belong to a fragment.

    earlier : number of pools that belong to earlier fragments
    """
    return np.where(pools <= OWN_POOL, pools - earlier, pools).astype(np.int32)


def concatenated(fragments: Sequence[Fragment], joints: Ints, persons_before: Sequence[int], person: int) -> Fragment:
    """Return one fragment with the tasks of all given fragments, numbered consecutively.

    The `outline` of the result is only a placeholder, which the caller must replace.

    joints : array (edges, 2) of edges between tasks of different fragments
    persons_before : for each fragment, the last task of a person that comes before the fragment; −1: there is none
    person : last task of a person in the whole result; −1: there is none
    """
    offsets = np.cumsum([0, *map(len, fragments)])[:-1].astype(np.int32)
    races = np.cumsum([0, *(len(fragment.races) for fragment in fragments)])[:-1].astype(np.int32)
    pools = np.cumsum([0, *(len(fragment.own_pools) for fragment in fragments)]).tolist()
    placed = list(zip(fragments, offsets, strict=True))
    exits = [
        fragment.exits + np.array([offset, race, offset], np.int32)
        for (fragment, offset), race in zip(placed, races, strict=True)
    ]
    previous = [fragment.people.previous + offset for fragment, offset in placed]
    first = [np.empty(0, np.int32)]
    for (fragment, offset), before in zip(placed, persons_before, strict=True):
        people = fragment.people.first + offset
        if before < 0:
            first.append(people)
        else:
            previous.append(np.stack([people, np.full(len(people), before)], axis=1))
    return Fragment(
        np.concatenate(
            [_shifted_pools(fragment.acquire, earlier) for fragment, earlier in zip(fragments, pools, strict=False)]
        ),
        np.concatenate(
            [_shifted_pools(fragment.release, earlier) for fragment, earlier in zip(fragments, pools, strict=False)]
        ),
        _stack([*(fragment.edges + offset for fragment, offset in placed), joints]),
        tuple(
            TaskMap(task_map.subject, task_map.tasks + offset)
            for fragment, offset in placed
            for task_map in fragment.task_maps
        ),
        _stack([fragment.races + offset for fragment, offset in placed]),
        _stack(exits),
        People(_stack(previous), _stack(first), person),
        tuple(pool for fragment in fragments for pool in fragment.own_pools),
    )
