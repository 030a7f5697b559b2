"""Pieces of a task graph, put together in order, side by side, repeated or fanned out. Ids are depth-first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
NO_POOL = -1


What = TypeVar("What")


@dataclass(frozen=True, eq=False)
class Mark(Generic[What]):
    """Where something stands in a graph.

    what : work, or a task that is skipped under some condition
    tasks : ids of its tasks, one for each occurrence; an axis for each loop around it, outermost first
    """

    what: What
    tasks: Ints


@dataclass(frozen=True, eq=False)
class Fragment:
    """A part of a task graph that is entered at one task and left at one.

    acquire, release : pool whose agent each task takes when it starts, gives back when it ends, or −1
    edges : (m, 2) predecessor, successor
    """

    acquire: Ints
    release: Ints
    edges: Ints
    entry: int
    exit: int
    marks: tuple[Mark[Any], ...] = ()

    def __len__(self) -> int:
        return len(self.acquire)


def _edges(pairs: Sequence[tuple[int, int]]) -> Ints:
    return np.array(pairs, np.int32).reshape(-1, 2)


def single(acquire: int, release: int, *what: object) -> Fragment:
    """One task."""
    marks = tuple(Mark(one, np.zeros((), np.int32)) for one in what)
    return Fragment(np.array([acquire], np.int32), np.array([release], np.int32), _edges([]), 0, 0, marks)


def in_order(fragments: Sequence[Fragment]) -> Fragment:
    """Each after the one before. What occurs in several of them keeps a mark for each; see `stacked`."""
    offsets = np.cumsum([0, *map(len, fragments)]).tolist()
    joints = [
        (before.exit + offsets[index], after.entry + offsets[index + 1])
        for index, (before, after) in enumerate(pairwise(fragments))
    ]
    return Fragment(
        np.concatenate([fragment.acquire for fragment in fragments]),
        np.concatenate([fragment.release for fragment in fragments]),
        np.concatenate([*_shifted(fragments, offsets), _edges(joints)]),
        fragments[0].entry,
        fragments[-1].exit + offsets[-2],
        _moved(fragments, offsets),
    )


def stacked(fragment: Fragment, rounds: Mapping[object, tuple[int, ...]]) -> Fragment:
    """One mark for each thing: its occurrences along the axes of the loops that `rounds` gives."""
    found: dict[object, list[Ints]] = {}
    for mark in fragment.marks:
        found.setdefault(mark.what, []).append(mark.tasks)
    marks = (
        Mark(what, np.stack(tasks).reshape(rounds.get(what, ()) + tasks[0].shape)) for what, tasks in found.items()
    )
    return replace(fragment, marks=tuple(marks))


def side_by_side(children: Mapping[str, Fragment], needs: Mapping[str, Sequence[str]]) -> Fragment:
    """A group: an entry, the children, each after those it needs, and an exit."""
    fragments = [single(NO_POOL, NO_POOL), *children.values(), single(NO_POOL, NO_POOL)]
    offsets = np.cumsum([0, *map(len, fragments)]).tolist()
    at = dict(zip(children, offsets[1:-2], strict=True))
    last = offsets[-2]
    needed = {need for name in children for need in needs[name]}
    pairs = []
    for name, child in children.items():
        sources = [children[need].exit + at[need] for need in dict.fromkeys(needs[name])] or [0]
        pairs += [(source, child.entry + at[name]) for source in sources]
        if name not in needed:
            pairs.append((child.exit + at[name], last))
    return Fragment(
        np.concatenate([fragment.acquire for fragment in fragments]),
        np.concatenate([fragment.release for fragment in fragments]),
        np.concatenate([*_shifted(fragments, offsets), _edges(pairs)]),
        0,
        last,
        _moved(fragments, offsets),
    )


def repeated(fragment: Fragment, times: int) -> Fragment:
    """Rounds, one after the other."""
    copies = _copies(fragment, times)
    starts = np.arange(times - 1, dtype=np.int32) * len(fragment)
    joints = np.stack([starts + fragment.exit, starts + len(fragment) + fragment.entry], axis=1)
    edges = np.concatenate([copies.edges, joints]).astype(np.int32)
    return replace(copies, edges=edges, exit=fragment.exit + (times - 1) * len(fragment))


def fanned_out(fragment: Fragment, count: int) -> Fragment:
    """An entry, `count` copies side by side, and an exit."""
    copies = _copies(fragment, count)
    starts = np.arange(count, dtype=np.int32) * len(fragment)
    last = len(copies) + 1
    begin = np.stack([np.zeros(count, np.int32), starts + fragment.entry + 1], axis=1)
    finish = np.stack([starts + fragment.exit + 1, np.full(count, last, np.int32)], axis=1)
    ends = np.array([NO_POOL], np.int32)
    return Fragment(
        np.concatenate([ends, copies.acquire, ends]),
        np.concatenate([ends, copies.release, ends]),
        np.concatenate([copies.edges + 1, begin, finish]).astype(np.int32),
        0,
        last,
        _moved([copies], [1]),
    )


def _copies(fragment: Fragment, count: int) -> Fragment:
    starts = np.arange(count, dtype=np.int32) * len(fragment)
    marks = []
    for mark in fragment.marks:
        tasks = starts.reshape((count,) + (1,) * mark.tasks.ndim) + mark.tasks
        marks.append(Mark(mark.what, tasks.astype(np.int32)))
    return Fragment(
        np.tile(fragment.acquire, count),
        np.tile(fragment.release, count),
        (fragment.edges[None] + starts[:, None, None]).reshape(-1, 2),
        fragment.entry,
        fragment.exit,
        tuple(marks),
    )


def _shifted(fragments: Sequence[Fragment], offsets: Sequence[int]) -> list[Ints]:
    return [fragment.edges + np.int32(at) for fragment, at in zip(fragments, offsets, strict=False)]


def _moved(fragments: Sequence[Fragment], offsets: Sequence[int]) -> tuple[Mark[Any], ...]:
    return tuple(
        Mark(mark.what, mark.tasks + np.int32(at))
        for fragment, at in zip(fragments, offsets, strict=False)
        for mark in fragment.marks
    )
