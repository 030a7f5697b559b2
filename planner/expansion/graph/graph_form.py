"""The form of a LangGraph `StateGraph`: its nodes and edges, with probabilities instead of the code that routes.

A node is a step or a subgraph. Edges, list joins, conditional edges and Sends trigger nodes. A `Command(goto=...)` is a
conditional edge of its node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from planner.reading.estimates.estimate import Estimate
from planner.workflow.declaration import Step

START, END = "__start__", "__end__"
"""LangGraph's names of the start of a graph and of the end of a path. Neither is a node."""


@dataclass(frozen=True)
class Sending:
    """LangGraph's Sends to one node. Each Send starts a run of the node with its own state.

    width : number of Sends, or an estimate from which the number is drawn each time
    """

    node: str
    width: int | Estimate = 1


@dataclass(frozen=True)
class Option:
    """One outcome of a conditional edge: triggered nodes, and Sends. An outcome without nodes and Sends ends the path.

    chance : probability of this outcome
    """

    chance: float
    targets: tuple[str, ...] = ()
    sends: tuple[Sending, ...] = ()


Branch = tuple[Option, ...]
"""A conditional edge. After each run of its node, exactly one of the options is taken."""


@dataclass(frozen=True)
class Node:
    """A node of a graph: a step, a subgraph, or a node that does nothing.

    defer : whether the node, once triggered, waits until no node without `defer` is left to run
    path : name from which the node's random numbers are derived; empty: the name of the node in the graph
    """

    step: Step | None = None
    graph: GraphForm | None = None
    defer: bool = False
    path: str = ""


@dataclass(frozen=True, eq=False)
class GraphForm:
    """The form of a LangGraph `StateGraph`. Raises `ValueError` if its parts do not fit together.

    edges : source and target of each edge. One edge is enough to trigger a target
    joins : sources and target of each `add_edge([a, b], c)`. The target is triggered once all sources have run
    branches : conditional edges of each node and of `START`
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
        """Yield source and target of every edge, join, conditional edge and Send of the graph."""
        yield from self.edges
        for sources, target in self.joins:
            yield from ((source, target) for source in sources)
        for source, branches in self.branches.items():
            for option in (option for branch in branches for option in branch):
                yield from ((source, target) for target in option.targets)
                yield from ((source, sending.node) for sending in option.sends)

    def path(self, name: str) -> str:
        """Return the name from which a node's random numbers are derived."""
        return self.nodes[name].path or name


def form_from_needs(needs: Mapping[str, tuple[str, ...]]) -> GraphForm:
    """Return the form of a group of steps. Each step waits for all steps that it needs.

    needs : for each step, the names of the steps that it needs
    """
    edges = [(START, name) for name, sources in needs.items() if not sources]
    edges += [(sources[0], name) for name, sources in needs.items() if len(sources) == 1]
    joins = tuple((tuple(sources), name) for name, sources in needs.items() if len(sources) > 1)
    return GraphForm({name: Node() for name in needs}, tuple(edges), joins)
