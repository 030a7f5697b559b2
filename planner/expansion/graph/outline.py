"""The outline of a task graph: a tree that describes how its tasks are composed.

A rehearsal schedules no tasks: it runs a workflow by following this tree. Task numbers are relative to the first task
of the enclosing outline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.expansion.graph.graph_form import GraphForm


@dataclass(frozen=True, eq=False)
class Outline:
    """Describes how the tasks in a part of a task graph are composed. The tasks are numbered from 0.

    size : number of tasks
    """

    size: int


@dataclass(frozen=True, eq=False)
class Part:
    """A part of an outline. The outline is a tree that describes how tasks are composed.

    at : number of the part's first task, counted from 0 in the outline that contains the part
    outline : how the tasks of the part are composed
    """

    at: int
    outline: Outline


@dataclass(frozen=True, eq=False)
class Task(Outline):
    """A single task.

    does : each `Work` of the task in order, with the numbers of its rounds and attempts inside the item, such as (2,)
    """

    does: tuple[tuple[object, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, eq=False)
class Chain(Outline):
    """Parts of a task graph that run one after another."""

    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, eq=False)
class InRound(Outline):
    """Tasks in one round of an item. If loops of rounds are nested, this is a round of the innermost loop.

    inner : number of the round in each loop of rounds, outermost loop first
    body : how the tasks are composed
    """

    inner: tuple[int, ...]
    body: Outline


@dataclass(frozen=True, eq=False)
class Group(Outline):
    """Nodes of a graph. Each node runs at most once.

    form : form of the graph, which determines the nodes that each node waits for
    parts : the tasks of each node
    choice : whether the nodes are branches of a choice. At most one branch runs
    limited : whether a limit on concurrent tasks may make some nodes wait
    """

    form: GraphForm
    parts: Mapping[str, Part]
    choice: bool = False
    limited: bool = False


@dataclass(frozen=True, eq=False)
class Rounds(Outline):
    """Rounds of the same tasks, one after another.

    count : number of rounds
    body : how the tasks of a round are composed
    """

    count: int
    body: Outline


@dataclass(frozen=True, eq=False)
class Replicas(Outline):
    """Copies of the same tasks, side by side. Their tasks are numbered consecutively, from 1.

    count : number of copies
    body : how the tasks of a copy are composed
    race : whether the first copy to end cancels the other copies
    """

    count: int
    body: Outline
    race: bool = False


@dataclass(frozen=True, eq=False)
class Dispatch(Outline):
    """The parts of a fan-out, in the order in which they start. The last part contains the items or copies.

    joints : additional edges between tasks, for example from an item to an item that needs it
    order : order in which the items or copies start; None: 0, 1, 2, …
    limited : whether a limit on concurrent tasks may make some items or copies wait
    """

    parts: tuple[Part, ...]
    joints: tuple[tuple[int, int], ...] = ()
    order: tuple[int, ...] | None = None
    limited: bool = False


def may_wait(outline: Outline) -> bool:
    """Whether a limit on concurrent tasks may make any task of the outline wait."""
    if isinstance(outline, Group | Dispatch):
        parts = outline.parts.values() if isinstance(outline, Group) else outline.parts
        return outline.limited or any(may_wait(part.outline) for part in parts)
    if isinstance(outline, Chain):
        return any(may_wait(part.outline) for part in outline.parts)
    return isinstance(outline, InRound | Rounds | Replicas) and may_wait(outline.body)
