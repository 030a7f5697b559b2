"""Pieces of a task graph, put together in order, side by side, repeated or fanned out. Ids are depth-first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.reading.estimates import Estimate
from planner.workflow.declaration import AgentLoop, Llm, Merge, Message, Wait

Ints = NDArray[np.int32]
NO_POOL = -1


@dataclass(frozen=True, eq=False)
class Reading:
    """The lead's reading of a report: its input is what the report put out."""


@dataclass(frozen=True, eq=False)
class Work:
    """One declared piece of work, however often it occurs.

    step : path of the step, joined by dots
    kind : ``llm``, ``agent``, ``tool``, ``human``, or a coordination mechanism
    model : name of the profile that serves its requests, None if it makes none
    reads : work whose output its first request reads: a brief, or the report of a `Reading`
    """

    step: str
    kind: str
    body: Llm | AgentLoop | Wait | Message | Merge | Reading
    model: str | None = None
    reads: Work | None = None

    @property
    def coordination(self) -> bool:
        return isinstance(self.body, Message | Merge | Reading)

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        bodies = [self.body, getattr(self.body, "tool", None)]
        return tuple(
            value for body in bodies for value in vars(body or Reading()).values() if isinstance(value, Estimate)
        )


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a piece of work stands in a graph.

    tasks : ids of the tasks it is part of, one for each occurrence; an axis for each loop around it, outermost first
    items : the axis, counted from the end, of the innermost fan-out, or None outside of any
    """

    work: Work
    tasks: Ints
    items: int | None = None


@dataclass(frozen=True, eq=False)
class Fragment:
    """A part of a task graph that is entered at one task and left at one.

    acquire : pool of each task, or −1
    edges : (m, 2) predecessor, successor
    """

    acquire: Ints
    edges: Ints
    entry: int
    exit: int
    placed: tuple[Placed, ...] = ()

    def __len__(self) -> int:
        return len(self.acquire)


def _edges(pairs: Sequence[tuple[int, int]]) -> Ints:
    return np.array(pairs, np.int32).reshape(-1, 2)


def single(pool: int, *works: Work) -> Fragment:
    """One task, which does all these works."""
    here = np.zeros((), np.int32)
    return Fragment(np.array([pool], np.int32), _edges([]), 0, 0, tuple(Placed(work, here) for work in works))


def in_order(fragments: Sequence[Fragment]) -> Fragment:
    """Each after the one before. Works that occur in several of them keep an entry for each; see `merged`."""
    offsets = np.cumsum([0, *map(len, fragments)]).tolist()
    joints = [
        (before.exit + at, after.entry + offsets[index + 1])
        for index, (at, before, after) in enumerate(zip(offsets, fragments, fragments[1:], strict=False))
    ]
    return Fragment(
        np.concatenate([fragment.acquire for fragment in fragments]),
        np.concatenate(
            [fragment.edges + at for fragment, at in zip(fragments, offsets, strict=False)] + [_edges(joints)]
        ),
        fragments[0].entry,
        fragments[-1].exit + offsets[-2],
        tuple(
            _moved(placed, at) for fragment, at in zip(fragments, offsets, strict=False) for placed in fragment.placed
        ),
    )


def merged(fragment: Fragment, rounds: Mapping[Work, tuple[int, ...]]) -> Fragment:
    """One `Placed` for each work: its occurrences stacked along the axes of the loops that `rounds` gives."""
    found: dict[Work, list[Placed]] = {}
    for placed in fragment.placed:
        found.setdefault(placed.work, []).append(placed)
    stacked = [
        Placed(
            work,
            np.stack([one.tasks for one in several]).reshape(rounds.get(work, ()) + several[0].tasks.shape),
            several[0].items,
        )
        for work, several in found.items()
    ]
    return replace(fragment, placed=tuple(stacked))


def side_by_side(children: Mapping[str, Fragment], needs: Mapping[str, Sequence[str]]) -> Fragment:
    """A group: an entry, the children, each after those it needs, and an exit."""
    entry = exit_ = single(NO_POOL)
    fragments = [entry, *children.values(), exit_]
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
        np.concatenate([child.edges + at[name] for name, child in children.items()] + [_edges(pairs)]),
        0,
        last,
        tuple(_moved(placed, at[name]) for name, child in children.items() for placed in child.placed),
    )


def repeated(fragment: Fragment, times: int) -> Fragment:
    """Rounds, one after the other."""
    copies = _copies(fragment, times, items=False)
    starts = np.arange(times - 1, dtype=np.int32) * len(fragment)
    joints = np.stack([starts + fragment.exit, starts + len(fragment) + fragment.entry], axis=1)
    return replace(
        copies, edges=np.concatenate([copies.edges, joints]), exit=fragment.exit + (times - 1) * len(fragment)
    )


def fanned_out(fragment: Fragment, count: int) -> Fragment:
    """An entry, `count` copies side by side, and an exit."""
    copies = _copies(fragment, count, items=True)
    starts = np.arange(count, dtype=np.int32) * len(fragment)
    last = len(copies) + 1
    begin = np.stack([np.zeros(count, np.int32), starts + fragment.entry + 1], axis=1)
    finish = np.stack([starts + fragment.exit + 1, np.full(count, last, np.int32)], axis=1)
    return Fragment(
        np.concatenate([[NO_POOL], copies.acquire, [NO_POOL]]).astype(np.int32),
        np.concatenate([copies.edges + 1, begin, finish]).astype(np.int32),
        0,
        last,
        tuple(_moved(placed, 1) for placed in copies.placed),
    )


def _copies(fragment: Fragment, count: int, items: bool) -> Fragment:
    starts = np.arange(count, dtype=np.int32) * len(fragment)
    placed = []
    for one in fragment.placed:
        tasks = starts.reshape((count,) + (1,) * one.tasks.ndim) + one.tasks
        placed.append(
            Placed(one.work, tasks.astype(np.int32), -tasks.ndim if items and one.items is None else one.items)
        )
    return Fragment(
        np.tile(fragment.acquire, count),
        (fragment.edges[None] + starts[:, None, None]).reshape(-1, 2),
        fragment.entry,
        fragment.exit,
        tuple(placed),
    )


def _moved(placed: Placed, offset: int) -> Placed:
    return replace(placed, tasks=placed.tasks + np.int32(offset))
