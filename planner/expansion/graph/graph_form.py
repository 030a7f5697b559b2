"""The form of plans that come from LangGraph: any StateGraph, with chances and widths where its code decides.

Nodes are steps, or graphs of their own. What triggers them are single edges, list joins, conditional edges and Sends.
A `Command(goto=...)` is a conditional edge of its node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from planner.reading.estimates.estimate import Estimate
from planner.workflow.declaration import Step

START, END = "__start__", "__end__"
"""LangGraph's names for where a graph begins and where a path of it ends. Neither is a node."""


@dataclass(frozen=True)
class Sending:
    """Tasks of a node, each with a state of its own: one `Send` for each.

    width : how many; an estimate is drawn whenever the Sends are made
    """

    node: str
    width: int | Estimate = 1


@dataclass(frozen=True)
class Option:
    """One way that a conditional edge may go: nodes that it triggers, and Sends. Without both, the path ends."""

    chance: float
    targets: tuple[str, ...] = ()
    sends: tuple[Sending, ...] = ()


Branch = tuple[Option, ...]
"""A conditional edge: exactly one of its options is taken each time its node has run."""


@dataclass(frozen=True)
class Node:
    """What a node does: a step, a graph of its own, or nothing.

    path : names its draws, so that they stay the same where it is put into a subgraph; the default is its name
    defer : it runs only when no other node is triggered
    """

    step: Step | None = None
    graph: GraphForm | None = None
    defer: bool = False
    path: str = ""


@dataclass(frozen=True, eq=False)
class GraphForm:
    """A StateGraph.

    edges : single edges, each of which triggers its target
    joins : list joins, `add_edge([a, b], c)`: the target is triggered once all have run
    branches : conditional edges of a node, or of `START`

    Raises ValueError where these do not fit together.
    """

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...] = ()
    joins: tuple[tuple[tuple[str, ...], str], ...] = ()
    branches: Mapping[str, tuple[Branch, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (START, END):
            if name in self.nodes:
                raise ValueError(f"'{name}' cannot be the name of a node")
        for source, target in self.arrows():
            if source != START and source not in self.nodes:
                raise ValueError(f"an edge begins at '{source}', which is no node")
            if target != END and target not in self.nodes:
                raise ValueError(f"an edge leads to '{target}', which is no node")
        for sources, target in self.joins:
            if START in sources or not sources:
                raise ValueError(f"the join of '{target}' waits for nodes, at least one")
        for name, branches in self.branches.items():
            for branch in branches:
                total = sum(option.chance for option in branch)
                if any(option.chance < 0 for option in branch) or abs(total - 1) > 1e-9:
                    raise ValueError(f"the chances of a conditional edge of '{name}' make {total:.6g}, not 1")

    def arrows(self) -> Iterator[tuple[str, str]]:
        """Every source and target, however the one triggers the other."""
        yield from self.edges
        for sources, target in self.joins:
            yield from ((source, target) for source in sources)
        for source, branches in self.branches.items():
            for option in (option for branch in branches for option in branch):
                yield from ((source, target) for target in option.targets)
                yield from ((source, sending.node) for sending in option.sends)

    def path(self, name: str) -> str:
        """What the draws of a node are named after."""
        return self.nodes[name].path or name


def form_from_needs(needs: Mapping[str, tuple[str, ...]]) -> GraphForm:
    """A group of steps: each a node that waits for all that it needs."""
    edges = [(START, name) for name, wanted in needs.items() if not wanted]
    edges += [(wanted[0], name) for name, wanted in needs.items() if len(wanted) == 1]
    joins = tuple((tuple(wanted), name) for name, wanted in needs.items() if len(wanted) > 1)
    return GraphForm({name: Node() for name in needs}, tuple(edges), joins)
