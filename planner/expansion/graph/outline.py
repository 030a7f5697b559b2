"""The outline of a task graph: a tree of how its tasks are composed, for running a workflow instead of scheduling it.

Task numbers are relative to the first task of the enclosing outline.
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
    """An outline and the number of its first task."""

    at: int
    outline: Outline


@dataclass(frozen=True, eq=False)
class Task(Outline):
    """One task. `does`: its works in order, each with its occurrence in the loops of its item."""

    does: tuple[tuple[object, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, eq=False)
class Chain(Outline):
    """Parts in sequence."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, eq=False)
class InRound(Outline):
    """A body inside rounds of an item; `inner` are the numbers of these rounds."""

    inner: tuple[int, ...]
    body: Outline


@dataclass(frozen=True, eq=False)
class Group(Outline):
    """Nodes of a graph, each of which runs once.

    form : which node waits for which
    parts : outline of each node
    choice : at most one of the nodes runs
    limited : a limit on concurrent tasks may make nodes wait
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
    """`count` equal bodies side by side, numbered consecutively; the first begins at task 1.

    race : the first to end cancels the others
    """

    count: int
    body: Outline
    race: bool = False


@dataclass(frozen=True, eq=False)
class Dispatch(Outline):
    """Parts that a fan-out sends out side by side, in this order.

    joints : edges besides those that follow from the parts
    order : in which the replicas of the last part are sent; None: in the order of their tasks
    limited : a limit on concurrent tasks may make some wait
    """

    parts: tuple[Part, ...]
    joints: tuple[tuple[int, int], ...] = ()
    order: tuple[int, ...] | None = None
    limited: bool = False


def may_wait(outline: Outline) -> bool:
    """Whether a limit on concurrent tasks may make a part of it wait, if only for its turn."""
    if isinstance(outline, Group | Dispatch):
        parts = outline.parts.values() if isinstance(outline, Group) else outline.parts
        return outline.limited or any(may_wait(part.outline) for part in parts)
    if isinstance(outline, Chain):
        return any(may_wait(part.outline) for part in outline.parts)
    return isinstance(outline, InRound | Rounds | Replicas) and may_wait(outline.body)
