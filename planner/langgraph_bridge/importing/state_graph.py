"""A graph form as a real StateGraph of LangGraph's, whose nodes take given seconds and route as they are told."""

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


def _later(_: int, number: int) -> int:
    return number


State = TypedDict("State", {"(run)": Annotated[int, _later]}, total=False)
"""The number of the run that wrote last, which its conditional edges read.

A node's name can be no key of its graph's state, and none has brackets.
"""

MOST = 1_000_000
"""LangGraph's `recursion_limit`: the limit of supersteps is the token game's own."""

Spans = dict[Key, tuple[float, float]]
"""Seconds at which each run starts and ends."""


def run_on_virtual_clock(
    form: GraphForm, route: Route, seconds: Callable[[Key], float], limit: int | None
) -> tuple[Spans, float]:
    """Run a graph on LangGraph: when every node starts and ends, and how long it takes.

    seconds : that a run of a node takes which is no graph
    limit : `max_concurrency`
    """
    built = _Built(route, seconds)
    config: dict[str, Any] = {"recursion_limit": MOST}
    if limit is not None:
        config["max_concurrency"] = limit

    async def main(_: virtual_clock.VirtualLoop) -> None:
        await built.graph(form, ()).ainvoke({"(run)": 0}, config)

    return built.spans, virtual_clock.run(main)[1]


class _Built:
    def __init__(self, route: Route, seconds: Callable[[Key], float]) -> None:
        self.route, self.seconds = route, seconds
        self.spans: Spans = {}

    def graph(self, form: GraphForm, key: Key) -> Any:
        """The graph as it runs within the run `key`; it counts the runs of its nodes."""
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
        here = (*key, (name, counts[name]))
        counts[name] += 1
        start = loop.time()
        inner = form.nodes[name].graph
        if inner is None:
            await asyncio.sleep(self.seconds(here))
        else:
            await self.graph(inner, here).ainvoke({"(run)": 0})
        self.spans[here] = (start, loop.time())
        return {"(run)": here[-1][1]}

    async def routed(self, form: GraphForm, name: str, key: Key, state: State) -> list[Any]:
        here = key if name == START else (*key, (name, state["(run)"]))
        routing = self.route(form, here, name)
        return [*routing.targets, *(Send(node, {"(run)": 0}) for node in routing.sends)]
