"""Which nodes of a graph are worth trying in a subgraph, those that promise most first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations, product

from planner.expansion.graph.graph_form import END, START, GraphForm
from planner.expansion.supersteps.subgraphs import may_be_subgraph
from planner.expansion.supersteps.token_game import no_routes, play

MOST_NODES = 100
"""Nodes of a graph in which branches are looked for: it takes time with their square."""

NodeSets = tuple[frozenset[str], ...]
"""Sets of nodes that are put into a subgraph each, all of them at once."""


def subgraph_candidates(form: GraphForm) -> Iterator[NodeSets]:
    """What may be wrapped, each once: what lies side by side, then single branches, then any two that are apart.

    Only what has steps that follow each other, beside something else, can win anything.
    """
    if len(form.nodes) > MOST_NODES:
        return
    ways = _Ways(form)
    single: dict[frozenset[str], None] = {}
    seen: set[NodeSets] = set()
    for family in (*_between(form, ways), *_apart(form, ways), *_from_to(form, ways)):
        fit = tuple(sorted({nodes for nodes in family if ways.may_gain(nodes)}, key=sorted))
        single.update(dict.fromkeys(fit))
        if len(fit) > 1 and fit not in seen:
            seen.add(fit)
            yield fit
    yield from ((nodes,) for nodes in single)
    for one, other in combinations(single, 2):
        if (one, other) not in seen and (other, one) not in seen and not one & other and ways.apart(one, other):
            yield one, other


class _Ways:
    """What lies before and behind each node, and the supersteps where they are known."""

    def __init__(self, form: GraphForm) -> None:
        self.form = form
        self.after, self.before = _neighbours(form), _neighbours(form, backwards=True)
        self.behind = {name: _reached(name, self.after) for name in self.after}
        self.ahead = {name: _reached(name, self.before) for name in self.before}
        self.supersteps: list[set[str]] = []
        if not form.branches:
            self.supersteps = [{run.node for run in superstep} for superstep in play(form, no_routes).supersteps]

    def may_gain(self, nodes: frozenset[str]) -> bool:
        """Whether these can be wrapped, take more than one superstep, and have something else beside them."""
        if not 1 < len(nodes) < len(self.form.nodes) or not any(self.after[name] & nodes for name in nodes):
            return False
        if self.supersteps and not any(superstep & nodes and superstep - nodes for superstep in self.supersteps):
            return False
        return may_be_subgraph(self.form, nodes)

    def apart(self, one: frozenset[str], other: frozenset[str]) -> bool:
        """Whether no way leads from the one to the other, so that they may run side by side."""
        return not any(self.behind[name] & other or self.ahead[name] & other for name in one)


def _between(form: GraphForm, ways: _Ways) -> Iterator[NodeSets]:
    """What hangs together between any two nodes that every way to it and from it passes; and these two with it."""
    above, below = _always_passed(form.nodes, ways.before, START), _always_passed(form.nodes, ways.after, END)
    for first, last in product((START, *form.nodes), (*form.nodes, END)):
        inner = {name for name in form.nodes if first in above[name] and last in below[name]} - {first, last}
        yield tuple(_parts(inner, ways.after))
        if first != START and last != END and first != last and first in above[last] and last in below[first]:
            yield (frozenset(inner | {first, last}),)


def _apart(form: GraphForm, ways: _Ways) -> Iterator[NodeSets]:
    """Of the nodes that follow one, or that one needs: what each has behind or before it that the others have not."""
    for near, far in ((ways.after, ways.behind), (ways.before, ways.ahead)):
        for found in near.values():
            roots = sorted(found & form.nodes.keys())
            reached = {root: (far[root] | {root}) & form.nodes.keys() for root in roots}
            yield tuple(
                frozenset(reached[root].difference(*(reached[other] for other in roots if other != root)))
                for root in roots
            )


def _from_to(form: GraphForm, ways: _Ways) -> Iterator[NodeSets]:
    """All that lies on ways from one node to another, both included."""
    for first, last in product(form.nodes, form.nodes):
        if first != last and last in ways.behind[first]:
            yield (frozenset({first, last, *(ways.behind[first] & ways.ahead[last])}),)


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


def _reached(start: str, near: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    front = set(near[start])
    while front:
        found |= front
        front = {other for name in front for other in near[name]} - found
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
