"""A graph with some of its nodes in a subgraph, where they have supersteps of their own."""

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


def into_subgraph(form: GraphForm, nodes: Collection[str]) -> GraphForm:
    """The graph with these nodes in a subgraph. Raises ValueError where it cannot have the same meaning.

    Where each node waits for others and nothing is routed, the subgraph waits for all that one of its nodes needs, and
    what needs one of them waits for all.
    """
    if not may_be_subgraph(form, nodes):
        raise ValueError("these nodes are no branch with one way in and one way out")
    name = next(name for name in ("+".join(sorted(nodes)), "_".join(sorted(nodes)) + "_") if name not in form.nodes)
    needs = _waits(form)
    if needs is not None:
        return _group(form, needs, nodes, name)
    entries = {target for source, target in form.arrows() if target in nodes and source not in nodes}
    exits = {source for source, target in form.arrows() if source in nodes and target not in nodes}
    inner = GraphForm(
        {node: _named(form, node) for node in form.nodes if node in nodes},
        (*((START, entry) for entry in sorted(entries)), *_edges(form, nodes)),
        tuple(join for join in form.joins if join[1] in nodes and set(join[0]) <= set(nodes)),
        {node: routes for node, routes in form.branches.items() if node in nodes and node not in exits},
    )

    def outer(node: str) -> str:
        return name if node in nodes else node

    edges = ((outer(source), outer(target)) for source, target in form.edges)
    joins, single = [], []
    for sources, target in form.joins:
        if target in nodes and set(sources) <= set(nodes):
            continue
        waits = tuple(dict.fromkeys(outer(source) for source in sources))
        joins.append((waits, outer(target))) if len(waits) > 1 else single.append((waits[0], outer(target)))
    routes: dict[str, tuple[tuple[Option, ...], ...]] = {}
    for node, routed in form.branches.items():
        if node not in nodes:
            routes[node] = tuple(tuple(_to(option, outer) for option in branch) for branch in routed)
        elif node in exits:
            routes[name] = routed
    kept = {node: _named(form, node) for node in form.nodes if node not in nodes}
    all_edges = dict.fromkeys(edge for edge in (*edges, *single) if edge != (name, name))
    return GraphForm({**kept, name: Node(graph=inner)}, tuple(all_edges), tuple(dict.fromkeys(joins)), routes)


def may_be_subgraph(form: GraphForm, nodes: Collection[str]) -> bool:
    """Whether the graph means the same with these nodes in a subgraph."""
    waits = _waits(form)
    return _wrappable(form, nodes) if waits is None else _convex(waits, nodes)


def _waits(form: GraphForm) -> dict[str, tuple[str, ...]] | None:
    """What each node waits for, where each runs once, after all of these; None: there is more to it."""
    found: dict[str, tuple[str, ...]] = {}
    for sources, target in (*(((source,), target) for source, target in form.edges), *form.joins):
        if target in found or target == END:
            return None
        found[target] = tuple(source for source in sources if source != START)
    if form.branches or found.keys() != form.nodes.keys() or any(node.defer for node in form.nodes.values()):
        return None
    try:
        TopologicalSorter(found).prepare()
    except CycleError:
        return None
    return found


def _convex(waits: Mapping[str, tuple[str, ...]], nodes: Collection[str]) -> bool:
    """Whether no way leads out of these nodes and back into them."""
    out: set[str] = set()
    for name in TopologicalSorter(waits).static_order():
        if any(need in out or need in nodes for need in waits[name]) and name not in nodes:
            out.add(name)
    return not any(need in out for name in nodes for need in waits[name])


def _group(form: GraphForm, waits: Mapping[str, tuple[str, ...]], nodes: Collection[str], name: str) -> GraphForm:
    inner = {node: tuple(need for need in waits[node] if need in nodes) for node in form.nodes if node in nodes}
    outer = {
        node: tuple(dict.fromkeys(name if need in nodes else need for need in waits[node]))
        for node in form.nodes if node not in nodes
    }  # fmt: skip
    outer[name] = tuple(dict.fromkeys(need for node in inner for need in waits[node] if need not in nodes))
    group = replace(form_from_needs(inner), nodes={node: _named(form, node) for node in inner})
    kept = {node: _named(form, node) for node in outer if node != name}
    return replace(form_from_needs(outer), nodes={**kept, name: Node(graph=group)})


def _named(form: GraphForm, node: str) -> Node:
    """The node, whose draws keep their name."""
    return replace(form.nodes[node], path=form.path(node))


def _edges(form: GraphForm, nodes: Collection[str]) -> Iterator[tuple[str, str]]:
    return ((source, target) for source, target in form.edges if source in nodes and target in nodes)


def _to(option: Option, outer: Callable[[str], str]) -> Option:
    sends = tuple(replace(sending, node=outer(sending.node)) for sending in option.sends)
    return replace(option, targets=tuple(map(outer, option.targets)), sends=sends)


def _wrappable(form: GraphForm, nodes: Collection[str]) -> bool:
    """Whether there is one way in, or several triggered alike, and one way out, or several to the same joins."""
    if any(form.nodes[node].defer for node in nodes):
        return False
    inside = {target for source, target in form.arrows() if source in nodes and target in nodes}
    entries = {target for source, target in form.arrows() if target in nodes and source not in nodes}
    out: dict[str, set[str]] = {}
    for source, target in form.arrows():
        if source in nodes and target not in nodes:
            out.setdefault(source, set()).add(target)
    if any(_routes_to(form, node, nodes) for node in out):
        return False  # what routes goes either on within or out of it
    routes_within = any(_routes_to(form, node, nodes) for node in nodes)
    if routes_within and any(node in form.branches for node in out):
        return False  # it would route once, and not as often as it runs
    if not entries or entries & inside or len({frozenset(targets) for targets in out.values()}) > 1:
        return False
    triggers = {entry: _triggers(form, entry) for entry in entries}
    routed = any(kind == "branch" for found in triggers.values() for kind, _ in found)
    if len(entries) > 1 and (routed or len(set(triggers.values())) > 1):
        return False
    joined = all(node not in form.branches and not any(source == node and target not in nodes and target != END
                 for source, target in form.edges) for node in out)  # fmt: skip
    return len(out) <= 1 or joined


def _routes_to(form: GraphForm, node: str, nodes: Collection[str]) -> bool:
    """Whether a conditional edge of a node may lead to one of these."""
    options = (option for branch in form.branches.get(node, ()) for option in branch)
    return any(set(option.targets) & set(nodes) or any(to.node in nodes for to in option.sends) for option in options)


def _triggers(form: GraphForm, node: str) -> frozenset[tuple[str, frozenset[str]]]:
    """What triggers a node."""
    found = [("edge", frozenset([source])) for source, target in form.edges if target == node]
    found += [("join", frozenset(sources)) for sources, target in form.joins if target == node]
    for source in form.branches:
        if _routes_to(form, source, {node}):
            found.append(("branch", frozenset([source])))
    return frozenset(found)
