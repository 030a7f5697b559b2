"""How a fragment is put together: what is one task of the scheduler, one after the other, side by side, repeated.

Whoever runs a workflow instead of scheduling it follows this. Numbers of tasks are relative to what holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.expansion.graph.graph_form import GraphForm


@dataclass(frozen=True, eq=False)
class Outline:
    """A part of a task graph whose first task is 0, of `size` tasks."""

    size: int


@dataclass(frozen=True, eq=False)
class Part:
    """An outline and where it begins."""

    at: int
    outline: Outline


@dataclass(frozen=True, eq=False)
class Task(Outline):
    """One task. `does`: what is done in it, in order, each with its occurrence in the loops of its item."""

    does: tuple[tuple[object, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, eq=False)
class Chain(Outline):
    """One after the other."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, eq=False)
class InRound(Outline):
    """A body within rounds of an item that are numbered `inner`."""

    inner: tuple[int, ...]
    body: Outline


@dataclass(frozen=True, eq=False)
class Group(Outline):
    """Nodes of a graph, each once.

    form : what waits for what
    parts : what each node does
    choice : at most one of them is done
    limited : a limit of what may run at a time may keep some waiting
    """

    form: GraphForm
    parts: Mapping[str, Part]
    choice: bool = False
    limited: bool = False


@dataclass(frozen=True, eq=False)
class Rounds(Outline):
    """`count` rounds of a body, each after the one before."""

    count: int
    body: Outline


@dataclass(frozen=True, eq=False)
class Replicas(Outline):
    """`count` times the same side by side, each behind the one before; the first begins at 1.

    race : the first to end cancels the others
    """

    count: int
    body: Outline
    race: bool = False


@dataclass(frozen=True, eq=False)
class Dispatch(Outline):
    """Things side by side that a fan-out sends out, in this order.

    joints : what must have ended before a task begins, beside what the outline says
    order : in which copies of the last part are sent; None: as they lie
    limited : a limit of what may run at a time may keep some waiting
    """

    parts: tuple[Part, ...]
    joints: tuple[tuple[int, int], ...] = ()
    order: tuple[int, ...] | None = None
    limited: bool = False


def may_wait(outline: Outline) -> bool:
    """Whether a limit of what may run at a time may keep something in it waiting, if only for its turn."""
    if isinstance(outline, Group | Dispatch):
        parts = outline.parts.values() if isinstance(outline, Group) else outline.parts
        return outline.limited or any(may_wait(part.outline) for part in parts)
    if isinstance(outline, Chain):
        return any(may_wait(part.outline) for part in outline.parts)
    return isinstance(outline, InRound | Rounds | Replicas) and may_wait(outline.body)
