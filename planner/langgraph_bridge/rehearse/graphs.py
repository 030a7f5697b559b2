"""Build the LangGraph graphs of a workflow. The graphs run samples of the workflow.

A group becomes a StateGraph with a node for each step. If the runtime is dataflow, a group becomes an entrypoint of
the functional API. Fan-outs and copies become Sends. Rounds become a loop with a conditional edge. The steps of an
item become a graph with conditional edges, and an agent becomes such a graph too. LangGraph cannot express agents of
crews, races, and items that wait for other items. asyncio does these parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from planner.expansion.graph.conditions import Index
from planner.expansion.graph.graph_form import GraphForm
from planner.expansion.graph.outline import (
    Chain,
    Dispatch,
    Group,
    InRound,
    Outline,
    Part,
    Replicas,
    Rounds,
    Task,
    may_wait,
)
from planner.langgraph_bridge.rehearse.chains import ChainGraphs, RunPart
from planner.langgraph_bridge.rehearse.sample_run import GraphContext, SampleRun

State = TypedDict("State", {"(first)": int, "(index)": tuple[int, ...], "(round)": int, "(slot)": int}, total=False)
"""State of a graph. The brackets keep its keys apart from names of steps.

(first) : first task of the part that the graph runs
(index) : indices of the loops around the part
(round) : number of the round
(slot) : task at which the node takes one of LangGraph's slots
"""


class WorkflowGraphs:
    """The LangGraph graphs of a workflow.

    dataflow : whether steps start as soon as they can, without supersteps
    limit : LangGraph's `max_concurrency`; None: no limit
    """

    def __init__(self, outline: Outline, dataflow: bool, limit: int | None) -> None:
        self.dataflow = dataflow
        self.context = GraphContext(limit)
        self.chains = ChainGraphs(self.context, self.part)
        self.whole = self.part(outline, "")

    async def run(self, run: SampleRun) -> None:
        """Run one sample of the workflow on LangGraph."""
        self.context.run = run
        await self.whole(0, ())

    def part(self, outline: Outline, name: str) -> RunPart:
        """Build the graphs of a part of the workflow. Return the function that runs the part."""
        if isinstance(outline, Group):
            return self.group(outline, name)
        if isinstance(outline, Rounds):
            return self.rounds(outline, name)
        if isinstance(outline, Dispatch):
            return self.dispatch(outline, name)
        if isinstance(outline, Replicas):
            return (
                self.race(outline, name)
                if outline.race
                else self.dispatch(Dispatch(outline.size, (Part(0, outline),)), name)
            )
        if isinstance(outline, InRound):
            return self.in_round(outline, name)
        if isinstance(outline, Task):
            return self.chains.chain(Chain(1, (Part(0, outline),)), name)
        assert isinstance(outline, Chain)
        return self.chains.chain(outline, name)

    def in_round(self, outline: InRound, name: str) -> RunPart:
        """Build a part of the workflow that belongs to a single round of a loop.

        Return the function that runs the part.
        """
        body = self.part(outline.body, name)

        async def run_in_round(first: int, index: Index) -> None:
            await body(first, (*index, *outline.inner))

        return run_in_round

    # Groups

    def group(self, outline: Group, name: str) -> RunPart:
        """Build the graph of a group of steps. Return the function that runs the group.

        In the dataflow runtime, the graph uses LangGraph's functional API. In all other runtimes, it is a StateGraph. A
        choice is always a StateGraph.
        """
        children = {child: self.part(part.outline, f"{name}.{child}" if name else child)
                    for child, part in outline.parts.items()}  # fmt: skip
        if self.dataflow and not outline.choice:
            invoke = self.functional_group(outline, children, name)
        else:
            invoke = self.state_graph(outline, children, name)

        async def run_group(first: int, index: Index) -> None:
            self.context.run.end(first)
            await invoke({"(first)": first, "(index)": index})
            self.context.run.end(first + outline.size - 1)

        return run_group

    def state_graph(
        self, outline: Group, children: Mapping[str, RunPart], name: str
    ) -> Callable[[Any], Awaitable[Any]]:
        """Build a StateGraph for a group of steps. Return the function that runs the graph."""
        graph: Any = StateGraph(State)
        waiting = outline.choice and may_wait(outline)

        async def node(child: str, state: State) -> None:
            first = state["(first)"] + outline.parts[child].at
            if outline.limited:
                await self.context.run.take_turn(first - 1)
            await children[child](first, state["(index)"])

        async def choose(state: State) -> list[str]:
            chosen = (
                child
                for child, part in outline.parts.items()
                if waiting or self.has_effect(state, part.at, part.outline.size)
            )
            return [node_name(child) for child in chosen]

        for child in children:
            graph.add_node(node_name(child), partial(node, child))
        if outline.choice:
            graph.add_conditional_edges(START, choose, [*map(node_name, children), END])
        else:
            add_edges(graph, outline.form)
        return partial(self.context.compile(name, graph).ainvoke, config=self.context.config)

    def functional_group(
        self, outline: Group, children: Mapping[str, RunPart], name: str
    ) -> Callable[[Any], Awaitable[Any]]:
        """Build a group of steps with LangGraph's functional API. Return the function that runs the group.

        Each step waits for the futures of the steps that it needs.
        """

        @task
        async def step(child: str, first: int, index: Index) -> None:
            await children[child](first, index)

        needs: dict[str, list[str]] = {child: [] for child in children}
        for source, target in outline.form.arrows():
            if source in needs:
                needs[target].append(source)

        async def flow(state: State) -> None:
            futures: dict[str, asyncio.Task[None]] = {}

            async def after_needs(child: str) -> None:
                await asyncio.gather(*(futures[need] for need in needs[child]))
                await step(child, state["(first)"] + outline.parts[child].at, state["(index)"])

            for child in children:  # children are ordered: a step comes after the steps that it needs
                futures[child] = asyncio.create_task(after_needs(child))
            await asyncio.gather(*futures.values())

        function = entrypoint()(flow)
        self.context.compiled.append((name, function))
        return partial(function.ainvoke, config=self.context.config)

    def has_effect(self, state: State, offset: int, size: int) -> bool:
        """Whether any of `size` consecutive tasks takes time or an agent.

        offset : position of the first of these tasks, counted from the first task of the part that runs
        """
        return self.context.run.has_effect(state["(first)"] + offset, size)

    # Loops

    def rounds(self, outline: Rounds, name: str) -> RunPart:
        """Build the graph of a loop of rounds. Return the function that runs the loop.

        A conditional edge starts the next round. The loop ends when no remaining round has work to do.
        """
        graph: Any = StateGraph(State)
        body, size, waiting = self.part(outline.body, name), outline.body.size, may_wait(outline.body)

        async def one_round(state: State) -> State:
            number = state["(round)"]
            await body(state["(first)"] + number * size, (*state["(index)"], number))
            return {"(round)": number + 1}

        async def again(state: State) -> str:
            number = state["(round)"]
            left = number < outline.count and (
                waiting or self.has_effect(state, number * size, (outline.count - number) * size)
            )
            return "round" if left else END

        graph.add_node("round", one_round)
        graph.add_conditional_edges(START, again, ["round", END])
        graph.add_conditional_edges("round", again, ["round", END])
        compiled = self.context.compile(name, graph)

        async def run_rounds(first: int, index: Index) -> None:
            await compiled.ainvoke({"(first)": first, "(index)": index, "(round)": 0}, self.context.config)
            self.context.run.end(first + outline.size - 1)

        return run_rounds

    def dispatch(self, outline: Dispatch, name: str) -> RunPart:
        """Build the graph of a fan-out or of copies. Return the function that runs the graph.

        Each item or copy is a Send. Ramp-ups are Sends too, and come first.
        """
        graph: Any = StateGraph(State)
        nodes = ["ramp_up", "item"][-len(outline.parts) :]
        for node, part in zip(nodes, outline.parts, strict=True):
            assert isinstance(part.outline, Replicas)
            body = self.part(part.outline.body, name)
            graph.add_node(node, self.sent_node(body, outline.limited))
        if outline.joints:
            self.context.without_langgraph[f"what items of '{name}' wait for among each other"] = None

        async def sends(state: State) -> list[Send]:
            return [Send(node, sent) for node, sent in self.sends(outline, nodes, state)]

        graph.add_conditional_edges(START, sends, [*nodes, END])
        compiled = self.context.compile(name, graph)
        last = outline.parts[-1]
        assert isinstance(last.outline, Replicas)
        first_join = last.at + 1 + last.outline.count * last.outline.body.size

        async def run_dispatch(first: int, index: Index) -> None:
            self.context.run.end(first)
            for source, target in outline.joints:
                self.context.run.add_wait(first + source, first + target, is_join=target >= first_join)
            await compiled.ainvoke({"(first)": first, "(index)": index}, self.context.config)
            self.context.run.end(first + outline.size - 1)

        return run_dispatch

    def sent_node(self, body: RunPart, limited: bool) -> Callable[[State], Awaitable[None]]:
        """Return the function of a node that is started by a Send.

        body : function that runs an item or a copy
        limited : whether the node takes one of LangGraph's slots
        """

        async def node(state: State) -> None:
            if limited:
                await self.context.run.take_turn(state["(slot)"])
            await body(state["(first)"], state["(index)"])

        return node

    def sends(self, outline: Dispatch, nodes: list[str], state: State) -> Iterator[tuple[str, State]]:
        """Yield the node and the state of each Send, in order.

        If some item may have to wait for another item or for a slot, every item gets a Send. Otherwise items without
        work get no Send.
        """
        slot = state["(first)"]
        for node, part in zip(nodes, outline.parts, strict=True):
            assert isinstance(part.outline, Replicas)
            replicas, size = part.outline, part.outline.body.size
            order = outline.order if outline.order is not None and part is outline.parts[-1] else range(replicas.count)
            always = outline.joints or outline.limited or may_wait(replicas)
            for number in order:
                first = state["(first)"] + part.at + 1 + number * size
                slot += 1
                if always or self.context.run.has_effect(first, size):
                    yield node, {"(first)": first, "(index)": (*state["(index)"], number), "(slot)": slot}

    def race(self, outline: Replicas, name: str) -> RunPart:
        """Build a race between copies of a step. The first copy to finish cancels all other copies.

        LangGraph cannot cancel nodes, so asyncio runs the race.
        """
        self.context.without_langgraph[f"the race of '{name}'"] = None
        body, size = self.part(outline.body, name), outline.body.size

        async def run_race(first: int, index: Index) -> None:
            if self.context.run.has_effect(first, outline.size) or may_wait(outline):
                copies = [
                    asyncio.ensure_future(body(first + 1 + number * size, (*index, number)))
                    for number in range(outline.count)
                ]
                try:
                    done, _ = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for copy in copies:
                        copy.cancel()
                    await asyncio.gather(*copies, return_exceptions=True)
                for copy in done:
                    copy.result()  # raises the exception of a failed copy
            self.context.run.end(first + outline.size - 1)

        return run_race


def add_edges(graph: Any, form: GraphForm) -> None:
    """Add all edges of a graph form to a StateGraph."""
    for source, target in form.edges:
        graph.add_edge(source if source == START else node_name(source), node_name(target))
    for sources, target in form.joins:
        graph.add_edge(list(map(node_name, sources)), node_name(target))


def node_name(step: str) -> str:
    """Return the name of the node for a step: the step's name. If LangGraph reserves this name, a dot is added."""
    return f"{step}." if step in (START, END) else step
