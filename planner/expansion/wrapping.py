"""Which nodes of a graph may be put into a subgraph, where they keep supersteps of their own; and the graph with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import product

from planner.expansion.graph_form import END, START, GraphForm, Node, Option

MOST_NODES = 100
"""Nodes of a graph in which branches are looked for: it takes time with their square."""


def branches(form: GraphForm) -> list[frozenset[str]]:
    """Sets of nodes that can be wrapped without keeping anything waiting that does not wait for all of them anyway.

    They lie between two nodes, one before and one behind all of them, or are these two with all between them.
    """
    return list(dict.fromkeys(nodes for found in _between(form) for nodes in found))


def side_by_side(form: GraphForm) -> list[tuple[frozenset[str], ...]]:
    """Branches between the same two nodes, where there are several: to be wrapped all, each in a subgraph."""
    return list(dict.fromkeys(found for found in _between(form) if len(found) > 1))


def _between(form: GraphForm) -> Iterator[tuple[frozenset[str], ...]]:
    """The branches between any two nodes, and these two with all between them."""
    if len(form.nodes) > MOST_NODES:
        return
    after, before = _neighbours(form), _neighbours(form, backwards=True)
    above, below = _always_passed(form.nodes, before, START), _always_passed(form.nodes, after, END)

    def may_be(nodes: frozenset[str]) -> bool:
        return 1 < len(nodes) < len(form.nodes) and _wrappable(form, nodes)

    for first, last in product((START, *form.nodes), (*form.nodes, END)):
        inner = {name for name in form.nodes if first in above[name] and last in below[name]} - {first, last}
        yield tuple(sorted(filter(may_be, _parts(inner, after)), key=sorted))
        if first != START and last != END and first != last and first in above[last] and last in below[first]:
            yield tuple(filter(may_be, [frozenset(inner | {first, last})]))


def wrapped(form: GraphForm, nodes: Collection[str]) -> GraphForm:
    """The graph with these nodes in a subgraph. Raises ValueError where it cannot have the same meaning."""
    if not _wrappable(form, nodes):
        raise ValueError("these nodes are no branch with one way in and one way out")
    name = next(name for name in ("+".join(sorted(nodes)), "_".join(sorted(nodes)) + "_") if name not in form.nodes)
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


def _neighbours(form: GraphForm, backwards: bool = False) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in (START, END, *form.nodes)}
    for source, target in form.arrows():
        one, other = (target, source) if backwards else (source, target)
        found[one].add(other)
    leads_on = {source for source, _ in form.arrows()}
    for name in form.nodes:  # a path ends where nothing leads on
        if name not in leads_on:
            found[END if backwards else name].add(name if backwards else END)
    return found


def _always_passed(nodes: Collection[str], before: Mapping[str, set[str]], root: str) -> dict[str, set[str]]:
    """The dominators of each node: what every way from `root` to it passes, itself included."""
    every = {root, *nodes}
    found = {name: set(every) for name in (*nodes, START, END)}
    found[root] = {root}
    changed = True
    while changed:
        changed = False
        for name in found:
            if name == root:
                continue
            ways = [found[other] for other in before[name]]
            new = {name} | (set.intersection(*ways) if ways else set(every))
            if new != found[name]:
                found[name], changed = new, True
    return found


def _parts(nodes: set[str], after: Mapping[str, set[str]]) -> Iterator[frozenset[str]]:
    """What hangs together among nodes."""
    left = set(nodes)
    while left:
        part, front = set(), {min(left)}
        while front:
            part |= front
            front = {
                other for other in left - part for name in part if other in after[name] or name in after[other]
            }  # fmt: skip
        left -= part
        yield frozenset(part)
