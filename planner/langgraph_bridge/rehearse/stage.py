"""A workflow as real graphs of LangGraph's, on which samples are performed.

Groups are StateGraphs whose nodes are their steps, or entrypoints of the functional API where the runtime is
dataflow; fan-outs and copies are Sends; rounds are loops of conditional edges; an item's steps are a graph that
conditional edges lead through, and so is an agent loop. What LangGraph has no means for is plain asyncio: agents of
crews, races, and what items wait for among each other.
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

from planner.expansion.graph.graph_form import GraphForm
from planner.expansion.graph.loops import Index
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
from planner.langgraph_bridge.rehearse.items import Act, Items
from planner.langgraph_bridge.rehearse.performance import Performance

State = TypedDict("State", {"(at)": int, "(index)": tuple[int, ...], "(round)": int, "(take)": int}, total=False)
"""The part of the workflow that a graph is to do, the round, and the task that stands for its slot.

Names of steps have no brackets.
"""

RECURSION = 1_000_000


class Stage:
    """The graphs of a workflow; `performance` is what they perform.

    dataflow : groups have no supersteps
    beside : what LangGraph has no means for and the workflow has
    graphs : every compiled graph with what it is of
    """

    def __init__(self, outline: Outline, dataflow: bool, limit: int | None) -> None:
        self.performance: Performance
        self.dataflow, self.limit = dataflow, limit
        self.beside: dict[str, None] = {}
        self.graphs: list[tuple[str, Any]] = []
        self.items = Items(self)
        self.whole = self.part(outline, "")

    async def perform(self, performance: Performance) -> None:
        """Perform one sample."""
        self.performance = performance
        await self.whole(0, ())

    @property
    def config(self) -> dict[str, Any]:
        limit = {} if self.limit is None else {"max_concurrency": self.limit}
        return {"recursion_limit": RECURSION, **limit}

    def compiled(self, name: str, graph: Any) -> Any:
        found = graph.compile(name=name or "workflow")
        self.graphs.append((name, found))
        return found

    # Parts of an outline

    def part(self, outline: Outline, name: str) -> Act:
        if isinstance(outline, Group):
            return self.group(outline, name)
        if isinstance(outline, Rounds):
            return self.rounds(outline, name)
        if isinstance(outline, Dispatch):
            return self.sent(outline, name)
        if isinstance(outline, Replicas):
            return (
                self.race(outline, name)
                if outline.race
                else self.sent(Dispatch(outline.size, (Part(0, outline),)), name)
            )
        if isinstance(outline, InRound):
            return self.within(outline, name)
        if isinstance(outline, Task):
            return self.items.chain(Chain(1, (Part(0, outline),)), name)
        assert isinstance(outline, Chain)
        return self.items.chain(outline, name)

    def within(self, outline: InRound, name: str) -> Act:
        body = self.part(outline.body, name)

        async def act(at: int, index: Index) -> None:
            await body(at, (*index, *outline.inner))

        return act

    def group(self, outline: Group, name: str) -> Act:
        children = {child: self.part(part.outline, f"{name}.{child}" if name else child)
                    for child, part in outline.parts.items()}  # fmt: skip
        if self.dataflow and not outline.choice:
            run = self.entrypoint(outline, children, name)
        else:
            run = self.state_graph(outline, children, name)

        async def act(at: int, index: Index) -> None:
            self.performance.end(at)
            await run({"(at)": at, "(index)": index})
            self.performance.end(at + outline.size - 1)

        return act

    def state_graph(self, outline: Group, children: Mapping[str, Act], name: str) -> Callable[[Any], Awaitable[Any]]:
        """A group as a StateGraph. The steps that wait for several others do so by a list join."""
        graph: Any = StateGraph(State)
        waiting = outline.choice and may_wait(outline)

        async def node(child: str, state: State) -> None:
            at = state["(at)"] + outline.parts[child].at
            if outline.limited:
                await self.performance.turn(at - 1)
            await children[child](at, state["(index)"])

        async def choice(state: State) -> list[str]:
            parts = outline.parts.items()
            chosen = (
                child for child, part in parts if waiting or self.busy(state, part.at, part.outline.size)
            )  # fmt: skip
            return [node_name(child) for child in chosen]

        for child in children:
            graph.add_node(node_name(child), partial(node, child))
        if outline.choice:
            graph.add_conditional_edges(START, choice, [*map(node_name, children), END])
        else:
            connect(graph, outline.form)
        return partial(self.compiled(name, graph).ainvoke, config=self.config)

    def entrypoint(self, outline: Group, children: Mapping[str, Act], name: str) -> Callable[[Any], Awaitable[Any]]:
        """A group in the functional API: a task begins when the futures of those that it needs are done."""

        @task
        async def step(child: str, at: int, index: Index) -> None:
            await children[child](at, index)

        needs: dict[str, list[str]] = {child: [] for child in children}
        for source, target in outline.form.arrows():
            if source in needs:
                needs[target].append(source)

        async def flow(state: State) -> None:
            done: dict[str, asyncio.Task[None]] = {}

            async def after(child: str) -> None:
                await asyncio.gather(*(done[need] for need in needs[child]))
                await step(child, state["(at)"] + outline.parts[child].at, state["(index)"])

            for child in children:  # each after those that it needs
                done[child] = asyncio.create_task(after(child))
            await asyncio.gather(*done.values())

        found = entrypoint()(flow)
        self.graphs.append((name, found))
        return partial(found.ainvoke, config=self.config)

    def busy(self, state: State, at: int, size: int) -> bool:
        return self.performance.busy(state["(at)"] + at, size)

    def rounds(self, outline: Rounds, name: str) -> Act:
        """A loop: a conditional edge leads back to the body while a round is left that has something to do."""
        graph: Any = StateGraph(State)
        body, size, waiting = self.part(outline.body, name), outline.body.size, may_wait(outline.body)

        async def one(state: State) -> State:
            number = state["(round)"]
            await body(state["(at)"] + number * size, (*state["(index)"], number))
            return {"(round)": number + 1}

        async def again(state: State) -> str:
            done = state["(round)"]
            left = done < outline.count and (waiting or self.busy(state, done * size, (outline.count - done) * size))
            return "round" if left else END

        graph.add_node("round", one)
        graph.add_conditional_edges(START, again, ["round", END])
        graph.add_conditional_edges("round", again, ["round", END])
        run = self.compiled(name, graph)

        async def act(at: int, index: Index) -> None:
            await run.ainvoke({"(at)": at, "(index)": index, "(round)": 0}, self.config)
            self.performance.end(at + outline.size - 1)

        return act

    def sent(self, outline: Dispatch, name: str) -> Act:
        """A fan-out or copies: a Send for each. Agents that ramp up are sent ahead of the items."""
        graph: Any = StateGraph(State)
        labels = ["ramp_up", "item"][-len(outline.parts) :]
        bodies = []
        for label, part in zip(labels, outline.parts, strict=True):
            assert isinstance(part.outline, Replicas)
            bodies.append(self.part(part.outline.body, name))
            graph.add_node(label, self.sendee(bodies[-1], outline.limited))
        if outline.joints:
            self.beside[f"what items of '{name}' wait for among each other"] = None

        async def sends(state: State) -> list[Send]:
            return [Send(*one) for one in self.sends(outline, labels, state)]

        graph.add_conditional_edges(START, sends, [*labels, END])
        run = self.compiled(name, graph)
        last = outline.parts[-1]
        assert isinstance(last.outline, Replicas)
        barriers = last.at + 1 + last.outline.count * last.outline.body.size

        async def act(at: int, index: Index) -> None:
            self.performance.end(at)
            for source, target in outline.joints:
                self.performance.join(at + source, at + target, joining=target >= barriers)
            await run.ainvoke({"(at)": at, "(index)": index}, self.config)
            self.performance.end(at + outline.size - 1)

        return act

    def sendee(self, body: Act, limited: bool) -> Callable[[State], Awaitable[None]]:
        async def node(state: State) -> None:
            if limited:
                await self.performance.turn(state["(take)"])
            await body(state["(at)"], state["(index)"])

        return node

    def sends(self, outline: Dispatch, labels: list[str], state: State) -> Iterator[tuple[str, State]]:
        """What is sent, in order: all that has something to do, or all where others wait for it."""
        take = state["(at)"]
        for label, part in zip(labels, outline.parts, strict=True):
            assert isinstance(part.outline, Replicas)
            many, size = part.outline, part.outline.body.size
            order = outline.order if outline.order is not None and part is outline.parts[-1] else range(many.count)
            for number in order:
                at = state["(at)"] + part.at + 1 + number * size
                take += 1
                if outline.joints or outline.limited or may_wait(many) or self.performance.busy(at, size):
                    yield label, {"(at)": at, "(index)": (*state["(index)"], number), "(take)": take}

    def race(self, outline: Replicas, name: str) -> Act:
        """Copies of which the first cancels the others: LangGraph cancels nothing, asyncio does."""
        self.beside[f"the race of '{name}'"] = None
        body, size = self.part(outline.body, name), outline.body.size

        async def act(at: int, index: Index) -> None:
            if self.performance.busy(at, outline.size) or may_wait(outline):
                copies = [
                    asyncio.ensure_future(body(at + 1 + copy * size, (*index, copy))) for copy in range(outline.count)
                ]
                try:
                    done, _ = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for one in copies:
                        one.cancel()
                    await asyncio.gather(*copies, return_exceptions=True)
                for one in done:
                    one.result()  # raises what it raised
            self.performance.end(at + outline.size - 1)

        return act


def connect(graph: Any, form: GraphForm) -> None:
    """The edges and joins of a form."""
    for source, target in form.edges:
        graph.add_edge(source if source == START else node_name(source), node_name(target))
    for sources, target in form.joins:
        graph.add_edge(list(map(node_name, sources)), node_name(target))


def node_name(step: str) -> str:
    """LangGraph keeps two names for itself."""
    return f"{step}." if step in (START, END) else step
