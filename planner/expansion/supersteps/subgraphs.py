"""A graph and some of its nodes in; the graph with these nodes in a subgraph out.

The subgraph has its own supersteps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from planner.expansion.graph.graph_form import (
    END,
    START,
    GraphForm,
    Node,
    Option,
    form_from_needs,
)

Needs = Mapping[str, tuple[str, ...]]
"""The nodes that each node waits for."""


def into_subgraph(form: GraphForm, nodes: Collection[str]) -> GraphForm:
    """Return the graph with these nodes moved into a subgraph.

    Raises `ValueError` if the graph would then do something else.
    """
    if not may_be_subgraph(form, nodes):
        raise ValueError("these nodes are no branch with one way in and one way out")
    name = next(name for name in ("+".join(sorted(nodes)), "_".join(sorted(nodes)) + "_") if name not in form.nodes)
    needs = _needs(form)
    return _routed_subgraph(form, nodes, name) if needs is None else _needs_subgraph(form, needs, nodes, name)


def may_be_subgraph(form: GraphForm, nodes: Collection[str]) -> bool:
    """Whether the graph still does the same if these nodes are moved into a subgraph."""
    needs = _needs(form)
    return _replaceable(form, nodes) if needs is None else _convex(needs, nodes)


# Graphs of needs


def _needs(form: GraphForm) -> dict[str, tuple[str, ...]] | None:
    """Return the nodes that each node waits for, or None if the graph is no graph of needs.

    In a graph of needs, every node runs once, after all nodes that it waits for.
    """
    needs: dict[str, tuple[str, ...]] = {}
    for sources, target in (*(((source,), target) for source, target in form.edges), *form.joins):
        if target in needs or target == END:
            return None
        needs[target] = tuple(source for source in sources if source != START)
    if form.branches or needs.keys() != form.nodes.keys() or any(node.defer for node in form.nodes.values()):
        return None
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return None
    return needs


def _convex(needs: Needs, nodes: Collection[str]) -> bool:
    """Whether every path between two of these nodes contains only these nodes."""
    after: set[str] = set()  # nodes outside: a path leads to them from a node inside
    for name in TopologicalSorter(needs).static_order():
        if any(need in after or need in nodes for need in needs[name]) and name not in nodes:
            after.add(name)
    return not any(need in after for name in nodes for need in needs[name])


def _needs_subgraph(form: GraphForm, needs: Needs, nodes: Collection[str], name: str) -> GraphForm:
    inner = {node: tuple(need for need in needs[node] if need in nodes) for node in form.nodes if node in nodes}
    outer = {
        node: tuple(dict.fromkeys(name if need in nodes else need for need in needs[node]))
        for node in form.nodes
        if node not in nodes
    }
    outer[name] = tuple(dict.fromkeys(need for node in inner for need in needs[node] if need not in nodes))
    subgraph = replace(form_from_needs(inner), nodes={node: _with_same_draws(form, node) for node in inner})
    outer_nodes = {node: _with_same_draws(form, node) for node in outer if node != name}
    return replace(form_from_needs(outer), nodes={**outer_nodes, name: Node(graph=subgraph)})


# Graphs with conditional edges, Sends, deferred nodes or cycles


def _routed_subgraph(form: GraphForm, nodes: Collection[str], name: str) -> GraphForm:
    exits = {source for source, target in form.arrows() if source in nodes and target not in nodes}

    def renamed(node: str) -> str:
        return name if node in nodes else node

    edges = [(renamed(source), renamed(target)) for source, target in form.edges]
    joins = []
    for sources, target in form.joins:
        if target in nodes and set(sources) <= set(nodes):
            continue
        outer_sources = tuple(dict.fromkeys(map(renamed, sources)))
        if len(outer_sources) > 1:
            joins.append((outer_sources, renamed(target)))
        else:
            edges.append((outer_sources[0], renamed(target)))
    branches: dict[str, tuple[tuple[Option, ...], ...]] = {}
    for node, options in form.branches.items():
        if node not in nodes:
            branches[node] = tuple(tuple(_retargeted(option, renamed) for option in branch) for branch in options)
        elif node in exits:
            branches[name] = options
    outer_nodes = {node: _with_same_draws(form, node) for node in form.nodes if node not in nodes}
    return GraphForm(
        {**outer_nodes, name: Node(graph=_inner_form(form, nodes, exits))},
        tuple(dict.fromkeys(edge for edge in edges if edge != (name, name))),
        tuple(dict.fromkeys(joins)),
        branches,
    )


def _inner_form(form: GraphForm, nodes: Collection[str], exits: Collection[str]) -> GraphForm:
    entries = {target for source, target in form.arrows() if target in nodes and source not in nodes}
    return GraphForm(
        {node: _with_same_draws(form, node) for node in form.nodes if node in nodes},
        (*((START, entry) for entry in sorted(entries)), *_edges_among(form, nodes)),
        tuple(join for join in form.joins if join[1] in nodes and set(join[0]) <= set(nodes)),
        {node: branches for node, branches in form.branches.items() if node in nodes and node not in exits},
    )


def _with_same_draws(form: GraphForm, node: str) -> Node:
    """Return a node that can move to another graph and still gets the same random numbers as in `form`."""
    return replace(form.nodes[node], path=form.path(node))


def _edges_among(form: GraphForm, nodes: Collection[str]) -> Iterator[tuple[str, str]]:
    return ((source, target) for source, target in form.edges if source in nodes and target in nodes)


def _retargeted(option: Option, renamed: Callable[[str], str]) -> Option:
    sends = tuple(replace(sending, node=renamed(sending.node)) for sending in option.sends)
    return replace(option, targets=tuple(map(renamed, option.targets)), sends=sends)


def _replaceable(form: GraphForm, nodes: Collection[str]) -> bool:
    """Whether a single node can replace these nodes.

    The nodes need a single entry from outside and a single exit to the outside. No node may be deferred, which means
    that it waits until only deferred nodes are left.
    """
    if any(form.nodes[node].defer for node in nodes):
        return False
    targets_outside: dict[str, set[str]] = {}
    for source, target in form.arrows():
        if source in nodes and target not in nodes:
            targets_outside.setdefault(source, set()).add(target)
    return _one_entrance(form, nodes) and _one_exit(form, nodes, targets_outside)


def _one_entrance(form: GraphForm, nodes: Collection[str]) -> bool:
    """Whether a subgraph of `nodes` can be entered in only one way.

    An entry is a node of the subgraph that a node outside triggers. Three conditions must hold:

    - There is an entry. If there are several, the same edges and joins trigger all of them.
    - If there are several entries, no conditional edge triggers them.
    - No node of the subgraph triggers an entry.
    """
    entered_inside = {target for source, target in form.arrows() if source in nodes and target in nodes}
    entries = {target for source, target in form.arrows() if target in nodes and source not in nodes}
    if not entries or entries & entered_inside:
        return False
    triggers = {entry: _triggers(form, entry) for entry in entries}
    routed = any(kind == "branch" for entry_triggers in triggers.values() for kind, _ in entry_triggers)
    return len(entries) == 1 or not (routed or len(set(triggers.values())) > 1)


def _one_exit(form: GraphForm, nodes: Collection[str], targets_outside: Mapping[str, set[str]]) -> bool:
    """Whether a subgraph of `nodes` can be left in only one way.

    An exit is a node of the subgraph that triggers a node outside. Two conditions must hold:

    - There is at most one exit, or all exits trigger the same nodes outside of the subgraph, and only by joins.
    - No conditional edge of an exit leads back into the subgraph. If an exit has conditional edges, no other node of
      the subgraph has conditional edges that lead to nodes inside.

    targets_outside : for each exit, the nodes outside of the subgraph that it triggers
    """
    if any(_routes_to(form, node, nodes) for node in targets_outside):
        return False  # an exit must not choose between inside and outside
    routes_inside = any(_routes_to(form, node, nodes) for node in nodes)
    if routes_inside and any(node in form.branches for node in targets_outside):
        return False  # the subgraph would route once, not once for each run of the exit
    if len({frozenset(targets) for targets in targets_outside.values()}) > 1:
        return False
    return len(targets_outside) <= 1 or not any(_has_own_edge_out(form, node, nodes) for node in targets_outside)


def _has_own_edge_out(form: GraphForm, node: str, nodes: Collection[str]) -> bool:
    """Whether an exit of a subgraph triggers a node outside by itself: by an edge or a conditional edge, not by a join.

    node : the exit, which is a node of the subgraph
    nodes : all nodes of the subgraph
    """
    single_edges = (source == node and target not in nodes and target != END for source, target in form.edges)
    return node in form.branches or any(single_edges)


def _routes_to(form: GraphForm, node: str, nodes: Collection[str]) -> bool:
    """Whether a conditional edge of `node` may lead to one of `nodes`."""
    options = (option for branch in form.branches.get(node, ()) for option in branch)
    return any(
        set(option.targets) & set(nodes) or any(sending.node in nodes for sending in option.sends) for option in options
    )


def _triggers(form: GraphForm, node: str) -> frozenset[tuple[str, frozenset[str]]]:
    """Return the triggers of a node. A trigger is a pair: its kind (edge, join or branch) and its source nodes."""
    triggers = [("edge", frozenset([source])) for source, target in form.edges if target == node]
    triggers += [("join", frozenset(sources)) for sources, target in form.joins if target == node]
    triggers += [("branch", frozenset([source])) for source in form.branches if _routes_to(form, source, {node})]
    return frozenset(triggers)
