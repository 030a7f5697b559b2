"""A graph and routing choices in; the runs of its nodes by superstep out. No clock, and no LangGraph.

The rules, as measured on LangGraph 0.6 to 1.2 (docs/model.md, "Supersteps"):

1. The tasks of a superstep are the pending Sends, then the triggered nodes by name. Sends made by triggered nodes come
   before Sends made by nodes that a Send started. The Sends of a node keep the order in which the node made them. If
   several edges trigger a node, it runs once. It also runs once for each Send.
2. Tasks start in this order, at most `max_concurrency` at the same time. The superstep ends when the last task ends.
3. A full join is emptied when its target runs.
4. All runs write: edges and conditional edges trigger their targets, Sends are queued, and joins note their source
   once. Triggers of deferred nodes are kept back.
5. If only deferred nodes are triggered, all of them are released together. Pending Sends do not hold them back.
6. The graph ends when there are no tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from planner.expansion.graph.graph_form import END, START, GraphForm

Key = tuple[tuple[str, int], ...]
"""The key of a run of a node. Its last pair is the name of the node and the number of the run.

If the node is inside subgraphs, the pairs of these subgraphs come first, from the outermost to the innermost.
"""

MOST_SUPERSTEPS = 10_000
"""Limit on the supersteps of one graph. LangGraph's default `recursion_limit` is at most 10,007."""


@dataclass(frozen=True)
class Routing:
    """The choices of a node's conditional edges after one run of the node.

    targets : nodes that are triggered
    sends : for each Send, the node that receives it, in order
    """

    targets: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()


Route = Callable[[GraphForm, Key, str], Routing]
"""A function that returns the choices of a node's conditional edges after a run of the node.

Its arguments are the graph, the key of the run and the name of the node. If the name is `START`, the key is that of the
graph's run.
"""


def no_routes(form: GraphForm, key: Key, name: str) -> Routing:
    """Return an empty `Routing`, for graphs without conditional edges."""
    return Routing()


class EndlessError(ValueError):
    """Raised if a graph takes more than `MOST_SUPERSTEPS` supersteps."""


@dataclass(eq=False)
class NodeRun:
    """A run of a node of a graph.

    number : number of earlier runs of the same node
    sent : whether a Send caused the run; False: the node was triggered
    causes : earlier runs that triggered this run or made its Send
    inner : run of the subgraph; None: the node is no subgraph
    """

    node: str
    number: int
    sent: bool
    causes: tuple[NodeRun, ...]
    inner: GraphRun | None = None


@dataclass(eq=False)
class GraphRun:
    """A run of a graph.

    supersteps : node runs of each superstep, in the order in which they start
    """

    form: GraphForm
    supersteps: list[list[NodeRun]] = field(default_factory=list)

    def runs(self, key: Key = ()) -> Iterator[tuple[Key, NodeRun]]:
        """Yield every run of a node, with the names and run numbers that identify it. Runs in subgraphs are included.

        For example, the key (("review", 0), ("test", 2)) is run 2 of the node `test` in run 0 of the subgraph `review`.

        key : key of this graph's run if it is a subgraph; empty: it is the outermost graph
        """
        for superstep in self.supersteps:
            for run in superstep:
                run_key = (*key, (run.node, run.number))
                yield run_key, run
                if run.inner is not None:
                    yield from run.inner.runs(run_key)


def play(form: GraphForm, route: Route, key: Key = ()) -> GraphRun:
    """Return the node runs of a graph, superstep by superstep, as LangGraph would execute them.

    Raises `EndlessError` if the graph takes over `MOST_SUPERSTEPS` supersteps.

    route : function that makes the choices of conditional edges
    key : key of the graph's run
    """
    return _Game(form, route, key).play()


class _Game:
    def __init__(self, form: GraphForm, route: Route, key: Key) -> None:
        self.form, self.route, self.key = form, route, key
        self.run_counts = dict.fromkeys(form.nodes, 0)
        self.triggered: dict[str, dict[NodeRun, None]] = {}  # node → runs that triggered it
        self.kept_back: dict[str, dict[NodeRun, None]] = {}  # deferred node → runs that triggered it
        self.arrived: list[dict[str, NodeRun]] = [{} for _ in form.joins]  # for each join: source → its run
        self.released: set[int] = set()  # full joins of deferred nodes
        self.sends: list[tuple[str, tuple[NodeRun, ...]]] = []

    def play(self) -> GraphRun:
        result = GraphRun(self.form)
        self.write(START, self.key, ())
        while True:
            self.release_deferred(result.supersteps[-1] if result.supersteps else ())
            tasks = self.tasks()
            if not tasks:
                return result
            if len(result.supersteps) == MOST_SUPERSTEPS:
                raise EndlessError(f"the graph takes over {MOST_SUPERSTEPS:,} supersteps")
            self.empty_full_joins()
            self.triggered, self.sends = {}, []
            for run in tasks:
                subgraph = self.form.nodes[run.node].graph
                if subgraph is not None:
                    run.inner = play(subgraph, self.route, self.run_key(run))
            for run in sorted(tasks, key=lambda run: run.sent):  # triggered runs write first
                self.write(run.node, self.run_key(run), (run,))
            result.supersteps.append(tasks)

    def run_key(self, run: NodeRun) -> Key:
        return (*self.key, (run.node, run.number))

    def full_joins(self, deferred: bool) -> list[int]:
        """Return the indices in `form.joins` of the full joins. A join is full when all its sources have run.

        deferred : true: only joins with a deferred target; false: only joins with other targets
        """
        return [
            join
            for join, (sources, target) in enumerate(self.form.joins)
            if target != END
            and self.form.nodes[target].defer is deferred
            and len(self.arrived[join]) == len(set(sources))
        ]

    def release_deferred(self, last: Iterable[NodeRun]) -> None:
        """Trigger the waiting deferred nodes. Do nothing if any other node is triggered.

        last : runs of the last superstep. They become causes of the deferred nodes
        """
        if self.triggered or self.full_joins(deferred=False):
            return
        for name, causes in self.kept_back.items():
            self.triggered[name] = {**causes, **dict.fromkeys(last)}
        self.kept_back = {}
        self.released = set(self.full_joins(deferred=True))
        for join in self.released:
            self.triggered.setdefault(self.form.joins[join][1], {}).update(dict.fromkeys(last))

    def tasks(self) -> list[NodeRun]:
        """Return the node runs of the next superstep, in the order in which they start."""
        causes_of = {name: dict(causes) for name, causes in self.triggered.items()}
        for join in (*self.full_joins(deferred=False), *self.released):
            causes_of.setdefault(self.form.joins[join][1], {}).update(dict.fromkeys(self.arrived[join].values()))
        sent = [self.new_run(name, True, causes) for name, causes in self.sends]
        return sent + [self.new_run(name, False, tuple(causes_of[name])) for name in sorted(causes_of)]

    def new_run(self, name: str, sent: bool, causes: tuple[NodeRun, ...]) -> NodeRun:
        self.run_counts[name] += 1
        return NodeRun(name, self.run_counts[name] - 1, sent, causes)

    def empty_full_joins(self) -> None:
        """Make each join whose sources have all run wait for all of them again, because its target runs now."""
        for join in (*self.full_joins(deferred=False), *self.released):
            self.arrived[join] = {}
        self.released = set()

    def write(self, name: str, key: Key, causes: tuple[NodeRun, ...]) -> None:
        """Apply the effects of a node's run: trigger nodes, fill joins and queue Sends.

        name : name of the node; `START` for the start of the graph
        """
        routing = self.route(self.form, key, name) if name in self.form.branches else Routing()
        for target in (*(target for source, target in self.form.edges if source == name), *routing.targets):
            if target != END:
                into = self.kept_back if self.form.nodes[target].defer else self.triggered
                into.setdefault(target, {}).update(dict.fromkeys(causes))
        for join, (sources, _) in enumerate(self.form.joins):
            if name in sources:
                self.arrived[join][name] = causes[0]
        self.sends += [(target, causes) for target in routing.sends]
