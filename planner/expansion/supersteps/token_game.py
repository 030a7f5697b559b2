"""LangGraph's supersteps: a graph and routing choices in, what runs in which superstep out. No clock, no LangGraph.

The rule, as measured on LangGraph 0.6 to 1.2 (docs/model.md, "Supersteps"):

1. The tasks of a superstep are the pending Sends, those made by triggered nodes (by name) before those made by Sends,
   in the order in which they were made; then the triggered nodes by name. A node runs once however many edges trigger
   it, and once more for each Send.
2. They start in this order, as many at a time as `max_concurrency` lets, and the superstep ends when the last ends.
3. Joins of the nodes that ran by trigger are emptied where they were full.
4. All that ran write: edges and conditional edges trigger their targets, Sends are put in line, and joins note their
   source, once. What would trigger a deferred node is kept back.
5. Where no node is triggered that is not deferred, all deferred ones are released together. Sends do not hold them
   back.
6. Without tasks the graph has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from planner.expansion.graph.graph_form import END, START, GraphForm

Key = tuple[tuple[str, int], ...]
"""A run of a node: its name and number in its graph, after those of the runs of the graphs around it."""

MOST_SUPERSTEPS = 10_000
"""Supersteps of one graph: LangGraph's own `recursion_limit` stands at 10,007 and less."""


@dataclass(frozen=True)
class Routing:
    """What the conditional edges of a run come to: nodes that are triggered, and the node of each Send, in order."""

    targets: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()


Route = Callable[[GraphForm, Key, str], Routing]
"""What the conditional edges of a node come to after the run `Key`; those of `START` when the graph `Key` starts."""


def no_routes(form: GraphForm, key: Key, name: str) -> Routing:
    """Of a graph without conditional edges."""
    return Routing()


class EndlessError(ValueError):
    """A graph takes more supersteps than there may be."""


@dataclass(eq=False)
class NodeRun:
    """A node that runs in a superstep.

    number : how often it has run before in this graph
    sent : by a Send; else it was triggered
    causes : the runs that made it run
    inner : what runs in the graph that it is, if it is one
    """

    node: str
    number: int
    sent: bool
    causes: tuple[NodeRun, ...]
    inner: GraphRun | None = None


@dataclass(eq=False)
class GraphRun:
    """One run of a graph: for each superstep its tasks, in the order in which they start."""

    form: GraphForm
    supersteps: list[list[NodeRun]] = field(default_factory=list)

    def runs(self, key: Key = ()) -> Iterator[tuple[Key, NodeRun]]:
        """Every run with its key, also those of graphs within."""
        for superstep in self.supersteps:
            for run in superstep:
                here = (*key, (run.node, run.number))
                yield here, run
                if run.inner is not None:
                    yield from run.inner.runs(here)


def play(form: GraphForm, route: Route, key: Key = ()) -> GraphRun:
    """Play the token game. Raises EndlessError."""
    return _Game(form, route, key).play()


class _Game:
    def __init__(self, form: GraphForm, route: Route, key: Key) -> None:
        self.form, self.route, self.key = form, route, key
        self.numbers = dict.fromkeys(form.nodes, 0)
        self.triggered: dict[str, dict[NodeRun, None]] = {}  # node → the runs that triggered it
        self.kept_back: dict[str, dict[NodeRun, None]] = {}  # the same of deferred nodes
        self.seen: list[dict[str, NodeRun]] = [
            {} for _ in form.joins
        ]  # sources of each join that have run, and their run
        self.released: set[int] = set()  # full joins of deferred nodes
        self.sends: list[tuple[str, tuple[NodeRun, ...]]] = []

    def play(self) -> GraphRun:
        found = GraphRun(self.form)
        self.write(START, self.key, ())
        while True:
            self.release(found.supersteps[-1] if found.supersteps else ())
            tasks = self.tasks()
            if not tasks:
                return found
            if len(found.supersteps) == MOST_SUPERSTEPS:
                raise EndlessError(f"the graph takes over {MOST_SUPERSTEPS:,} supersteps")
            self.empty_joins()
            self.triggered, self.sends = {}, []
            for run in tasks:
                here = (*self.key, (run.node, run.number))
                inner = self.form.nodes[run.node].graph
                if inner is not None:
                    run.inner = play(inner, self.route, here)
            for run in sorted(tasks, key=lambda run: run.sent):  # what was triggered writes first
                self.write(run.node, (*self.key, (run.node, run.number)), (run,))
            found.supersteps.append(tasks)

    def full(self, deferred: bool) -> list[int]:
        return [
            join
            for join, (sources, target) in enumerate(self.form.joins)
            if target != END and self.form.nodes[target].defer is deferred and len(self.seen[join]) == len(set(sources))
        ]

    def release(self, last: Iterable[NodeRun]) -> None:
        """Let deferred nodes go where no other is triggered. They come after all that ran in the superstep before."""
        if self.triggered or self.full(deferred=False):
            return
        for name, causes in self.kept_back.items():
            self.triggered[name] = {**causes, **dict.fromkeys(last)}
        self.kept_back = {}
        self.released = set(self.full(deferred=True))
        for join in self.released:
            self.triggered.setdefault(self.form.joins[join][1], {}).update(dict.fromkeys(last))

    def tasks(self) -> list[NodeRun]:
        causes = {name: dict(found) for name, found in self.triggered.items()}
        for join in (*self.full(deferred=False), *self.released):
            causes.setdefault(self.form.joins[join][1], {}).update(dict.fromkeys(self.seen[join].values()))
        found = [self.run(name, True, before) for name, before in self.sends]
        return found + [self.run(name, False, tuple(causes[name])) for name in sorted(causes)]

    def run(self, name: str, sent: bool, causes: tuple[NodeRun, ...]) -> NodeRun:
        self.numbers[name] += 1
        return NodeRun(name, self.numbers[name] - 1, sent, causes)

    def empty_joins(self) -> None:
        """Those that are full, whose targets run now; of deferred targets, those that were released."""
        for join in (*self.full(deferred=False), *self.released):
            self.seen[join] = {}
        self.released = set()

    def write(self, name: str, key: Key, causes: tuple[NodeRun, ...]) -> None:
        """What a run of a node, or the start of the graph, brings about."""
        routing = self.route(self.form, key, name) if name in self.form.branches else Routing()
        for target in (*(to for source, to in self.form.edges if source == name), *routing.targets):
            if target != END:
                into = self.kept_back if self.form.nodes[target].defer else self.triggered
                into.setdefault(target, {}).update(dict.fromkeys(causes))
        for join, (sources, _) in enumerate(self.form.joins):
            if name in sources:
                self.seen[join][name] = causes[0]
        self.sends += [(target, causes) for target in routing.sends]
