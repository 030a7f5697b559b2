"""The outline of a task graph: a tree of how its tasks are composed.

A rehearsal follows this tree to run a workflow instead of scheduling it. Task numbers are relative to the first task of
the enclosing outline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.expansion.graph.graph_form import GraphForm


@dataclass(frozen=True, eq=False)
class Outline:
    """A part of a task graph with `size` tasks, numbered from 0."""

    size: int


@dataclass(frozen=True, eq=False)
class Part:
    """An outline inside another outline, and the number of its first task there."""

    at: int
    outline: Outline


@dataclass(frozen=True, eq=False)
class Task(Outline):
    """One task. `does`: works of the task in order, each with its occurrence in the loops inside its item."""

    does: tuple[tuple[object, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, eq=False)
class Chain(Outline):
    """Parts in sequence."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, eq=False)
class InRound(Outline):
    """A body in one round of an item. `inner`: number of the round in each loop inside the item."""

    inner: tuple[int, ...]
    body: Outline


@dataclass(frozen=True, eq=False)
class Group(Outline):
    """Nodes of a graph, each of which runs once.

    form : the graph, which determines the nodes that each node waits for
    parts : outline of each node
    choice : whether the nodes are the branches of a choice, of which at most one runs
    limited : whether a limit on concurrent tasks may make some nodes wait
    """

    form: GraphForm
    parts: Mapping[str, Part]
    choice: bool = False
    limited: bool = False


@dataclass(frozen=True, eq=False)
class Rounds(Outline):
    """`count` rounds of a body in sequence."""

    count: int
    body: Outline


@dataclass(frozen=True, eq=False)
class Replicas(Outline):
    """`count` equal bodies side by side. Their tasks are numbered consecutively, from task 1.

    race : whether the first body to end cancels the other bodies
    """

    count: int
    body: Outline
    race: bool = False


@dataclass(frozen=True, eq=False)
class Dispatch(Outline):
    """Parts that a fan-out sends out side by side, in this order.

    joints : edges in addition to those that follow from the parts
    order : numbers of the replicas of the last part, in the order in which they are sent; None: 0, 1, 2, …
    limited : whether a limit on concurrent tasks may make some replicas wait
    """

    parts: tuple[Part, ...]
    joints: tuple[tuple[int, int], ...] = ()
    order: tuple[int, ...] | None = None
    limited: bool = False


def may_wait(outline: Outline) -> bool:
    """Whether a limit on concurrent tasks may make any part of the outline wait."""
    if isinstance(outline, Group | Dispatch):
        parts = outline.parts.values() if isinstance(outline, Group) else outline.parts
        return outline.limited or any(may_wait(part.outline) for part in parts)
    if isinstance(outline, Chain):
        return any(may_wait(part.outline) for part in outline.parts)
    return isinstance(outline, InRound | Rounds | Replicas) and may_wait(outline.body)
