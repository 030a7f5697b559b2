"""Run a graph form as a real LangGraph `StateGraph`, with given durations and routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from langgraph.graph import StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from planner.expansion.graph.graph_form import START, GraphForm
from planner.expansion.supersteps.token_game import Key, Route
from planner.langgraph_bridge import virtual_clock


def _last(_: int, number: int) -> int:
    return number


State = TypedDict("State", {"(run)": Annotated[int, _last]}, total=False)
"""State of a graph. A node writes the number of its run, and its conditional edges read this number.

The key has brackets because no node may have the name of a key, and names of nodes have no brackets.
"""

MOST = 1_000_000
"""LangGraph's `recursion_limit`. The token game has its own limit of supersteps."""

Spans = dict[Key, tuple[float, float]]
"""Start and end of each run, in seconds."""


def run_on_virtual_clock(
    form: GraphForm, route: Route, seconds: Callable[[Key], float], limit: int | None
) -> tuple[Spans, float]:
    """Run a graph on LangGraph. Return the start and end of each run of a node, and the completion time of the graph.

    All times are in seconds of the virtual clock.

    route : function that chooses the nodes that run next
    seconds : function that returns the duration of a run. The function is not called for runs of subgraphs
    limit : LangGraph's `max_concurrency`; None: no limit
    """
    builder = _Builder(route, seconds)
    config: dict[str, Any] = {"recursion_limit": MOST}
    if limit is not None:
        config["max_concurrency"] = limit

    async def main(_: virtual_clock.VirtualLoop) -> None:
        await builder.graph(form, ()).ainvoke({"(run)": 0}, config)

    return builder.spans, virtual_clock.run(main)[1]


class _Builder:
    def __init__(self, route: Route, seconds: Callable[[Key], float]) -> None:
        self.route, self.seconds = route, seconds
        self.spans: Spans = {}

    def graph(self, form: GraphForm, key: Key) -> Any:
        """Build and compile a LangGraph graph.

        form : nodes and edges of the graph
        key : if the graph is a subgraph, the run of the node that contains it. For example, (("review", 1),) means the
            second run of the node `review`. The key is () for the whole graph
        """
        graph: Any = StateGraph(State)
        counts = dict.fromkeys(form.nodes, 0)
        for name, node in form.nodes.items():
            graph.add_node(name, partial(self.run, form, name, key, counts), defer=node.defer)
        for name in form.branches:
            graph.add_conditional_edges(name, partial(self.routed, form, name, key))
        for source, target in form.edges:
            graph.add_edge(source, target)
        for sources, target in form.joins:
            graph.add_edge(list(sources), target)
        return graph.compile()

    async def run(self, form: GraphForm, name: str, key: Key, counts: dict[str, int], _: State) -> State:
        loop = asyncio.get_running_loop()
        run = (*key, (name, counts[name]))
        counts[name] += 1
        start = loop.time()
        inner = form.nodes[name].graph
        if inner is None:
            await asyncio.sleep(self.seconds(run))
        else:
            await self.graph(inner, run).ainvoke({"(run)": 0})
        self.spans[run] = (start, loop.time())
        return {"(run)": run[-1][1]}

    async def routed(self, form: GraphForm, name: str, key: Key, state: State) -> list[Any]:
        run = key if name == START else (*key, (name, state["(run)"]))
        routing = self.route(form, run, name)
        return [*routing.targets, *(Send(node, {"(run)": 0}) for node in routing.sends)]
