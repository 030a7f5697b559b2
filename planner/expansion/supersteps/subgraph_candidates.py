"""A graph in; sets of nodes that are worth trying as subgraphs out, the most promising first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations, product

from planner.expansion.graph.graph_form import END, START, GraphForm
from planner.expansion.supersteps.subgraphs import may_be_subgraph
from planner.expansion.supersteps.token_game import no_routes, play

MOST_NODES = 100
"""Graphs with more nodes are not searched. The time grows with the square of the number of nodes."""

NodeSets = tuple[frozenset[str], ...]
"""Disjoint sets of nodes. Each set becomes a subgraph."""


def subgraph_candidates(form: GraphForm) -> Iterator[NodeSets]:
    """Yield candidates for subgraphs that may save time. A candidate is a collection of sets of nodes.

    Each set becomes a subgraph. Candidates come in this order, without repetition:

    - several sets that belong together, such as the branches after a node
    - single sets
    - pairs of independent sets
    """
    if len(form.nodes) > MOST_NODES:
        return
    paths = _Paths(form)
    single: dict[frozenset[str], None] = {}
    seen: set[NodeSets] = set()
    for family in (*_between(form, paths), *_unshared(form, paths), *_from_to(form, paths)):
        useful = tuple(sorted({nodes for nodes in family if paths.may_gain(nodes)}, key=sorted))
        single.update(dict.fromkeys(useful))
        if len(useful) > 1 and useful not in seen:
            seen.add(useful)
            yield useful
    yield from ((nodes,) for nodes in single)
    for first, second in combinations(single, 2):
        if (
            (first, second) not in seen
            and (second, first) not in seen
            and not first & second
            and paths.independent(first, second)
        ):
            yield first, second


class _Paths:
    """Paths in a graph.

    next : direct successors of each node
    previous : direct predecessors of each node
    after : for each node, all nodes that can be reached from it
    before : for each node, all nodes that can reach it
    supersteps : nodes of each superstep; empty if the graph has conditional edges
    """

    def __init__(self, form: GraphForm) -> None:
        self.form = form
        self.next, self.previous = _neighbours(form), _neighbours(form, backwards=True)
        self.after = {name: _reachable(name, self.next) for name in self.next}
        self.before = {name: _reachable(name, self.previous) for name in self.previous}
        self.supersteps: list[set[str]] = []
        if not form.branches:
            self.supersteps = [{run.node for run in superstep} for superstep in play(form, no_routes).supersteps]

    def may_gain(self, nodes: frozenset[str]) -> bool:
        """Whether a subgraph of these nodes is allowed and may save time.

        To save time, a subgraph must meet two conditions:

        - One of its nodes directly follows another of its nodes.
        - Some superstep contains nodes of the subgraph and other nodes. This is only checked if supersteps are known.
        """
        if not 1 < len(nodes) < len(self.form.nodes) or not any(self.next[name] & nodes for name in nodes):
            return False
        if self.supersteps and not any(superstep & nodes and superstep - nodes for superstep in self.supersteps):
            return False
        return may_be_subgraph(self.form, nodes)

    def independent(self, first: frozenset[str], second: frozenset[str]) -> bool:
        """Whether two sets of nodes may run side by side: no path leads from either set to the other."""
        return not any(self.after[name] & second or self.before[name] & second for name in first)


def _between(form: GraphForm, paths: _Paths) -> Iterator[NodeSets]:
    """For each pair of nodes, yield candidates for subgraphs that consist of nodes between the two nodes.

    A node lies between A and B if every path to it passes A, and every path from it passes B. There are two candidates:

    - The nodes between A and B are divided into connected parts. Each part becomes a subgraph.
    - A, B and all nodes between them become one subgraph.
    """
    dominators = _dominators(form.nodes, paths.previous, START)
    postdominators = _dominators(form.nodes, paths.next, END)
    for first, last in product((START, *form.nodes), (*form.nodes, END)):
        region = {name for name in form.nodes if first in dominators[name] and last in postdominators[name]}
        region -= {first, last}
        yield tuple(_connected_parts(region, paths.next))
        inside = first != START and last != END and first != last
        if inside and first in dominators[last] and last in postdominators[first]:
            yield (frozenset(region | {first, last}),)


def _unshared(form: GraphForm, paths: _Paths) -> Iterator[NodeSets]:
    """Yield the branches after each node, and the branches before each node.

    For example, node A leads to B and C. The branch of B contains B and all nodes that can be reached from B, but not
    from C. Branches before a node are found in the same way on reversed paths.
    """
    for neighbours, far in ((paths.next, paths.after), (paths.previous, paths.before)):
        for names in neighbours.values():
            roots = sorted(names & form.nodes.keys())
            reached = {root: (far[root] | {root}) & form.nodes.keys() for root in roots}
            yield tuple(
                frozenset(reached[root].difference(*(reached[other] for other in roots if other != root)))
                for root in roots
            )


def _from_to(form: GraphForm, paths: _Paths) -> Iterator[NodeSets]:
    """For each pair of nodes, yield the pair and all nodes that lie on any path from the first to the second node."""
    for first, last in product(form.nodes, form.nodes):
        if first != last and last in paths.after[first]:
            yield (frozenset({first, last, *(paths.after[first] & paths.before[last])}),)


def _neighbours(form: GraphForm, backwards: bool = False) -> dict[str, set[str]]:
    """Return the direct successors of each node. If `backwards` is true, return the direct predecessors."""
    neighbours: dict[str, set[str]] = {name: set() for name in (START, END, *form.nodes)}
    sources = {source for source, _ in form.arrows()}
    path_ends = [(name, END) for name in form.nodes if name not in sources]
    for source, target in (*form.arrows(), *path_ends):
        if backwards:
            neighbours[target].add(source)
        else:
            neighbours[source].add(target)
    return neighbours


def _reachable(start: str, neighbours: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    frontier = set(neighbours[start])
    while frontier:
        reached |= frontier
        frontier = {other for name in frontier for other in neighbours[name]} - reached
    return reached


def _dominators(nodes: Collection[str], previous: Mapping[str, set[str]], root: str) -> dict[str, set[str]]:
    """Return the dominators of each node. Node A dominates node B if every path from `root` to B passes A.

    previous : direct predecessors of each node
    """
    every = {root, *nodes}
    dominators = {name: set(every) for name in (*nodes, START, END)}
    dominators[root] = {root}
    changed = True
    while changed:
        changed = False
        for name in dominators:
            if name == root:
                continue
            inherited = [dominators[other] for other in previous[name]]
            new = {name} | (set.intersection(*inherited) if inherited else set(every))
            if new != dominators[name]:
                dominators[name], changed = new, True
    return dominators


def _connected_parts(nodes: set[str], following: Mapping[str, set[str]]) -> Iterator[frozenset[str]]:
    """Yield the connected parts of a graph that has only these nodes. Directions of edges are ignored.

    following : direct successors of each node
    """
    remaining = set(nodes)
    while remaining:
        part, frontier = set(), {min(remaining)}
        while frontier:
            part |= frontier
            frontier = {
                other
                for other in remaining - part
                for name in part
                if other in following[name] or name in following[other]
            }
        remaining -= part
        yield frozenset(part)
