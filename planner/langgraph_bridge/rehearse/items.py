"""An item's steps on LangGraph, one after the other, and the requests of an agent loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from planner.expansion.graph.loops import Index
from planner.expansion.graph.outline import (
    Chain,
    Outline,
    Task,
    may_wait,
)
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.expansion.graph.work import Work
from planner.langgraph_bridge.rehearse import actors
from planner.langgraph_bridge.rehearse.performance import Performance
from planner.measures.playback import RequestSpan, tasks

if TYPE_CHECKING:
    from planner.langgraph_bridge.rehearse.stage import Stage

Act = Callable[[int, Index], Awaitable[None]]
"""Do a part of the workflow, whose first task and loops around it are given."""

Step = tuple[str, Callable[[], Awaitable[None]]]
"""The node that does something, or '' where none is needed, and how."""

On = TypedDict("On", {"(on)": Any}, total=False)
"""What a graph goes through. Names of steps have no brackets."""


class Items:
    """What is done one after the other, for a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.agent = self.agent_loop()

    @property
    def performance(self) -> Performance:
        return self.stage.performance

    def chain(self, outline: Chain, name: str) -> Act:
        """Steps that follow each other: conditional edges lead from each to the next that is done."""
        inner = {part.at: self.stage.part(part.outline, label(part.outline, name)) for part in outline.parts
                 if not isinstance(part.outline, Task)}  # fmt: skip
        labels = list(dict.fromkeys(self.labels(outline, name)))
        if len(labels) < 2:
            return partial(self.follow, outline, inner, name)
        graph: Any = StateGraph(On)

        async def node(state: On) -> None:
            await state["(on)"].go()

        async def following(state: On) -> str:
            return str(await state["(on)"].next())

        for one in labels:
            graph.add_node(one, node)
            graph.add_conditional_edges(one, following, [*labels, END])
        graph.add_conditional_edges(START, following, [*labels, END])
        run = self.stage.compiled(name, graph)

        async def act(at: int, index: Index) -> None:
            hands = Hands(self.performance)
            try:
                walk = Walk(self.steps(outline, inner, name, at, index, hands))
                await run.ainvoke({"(on)": walk}, self.stage.config)
            finally:
                hands.empty()
            self.performance.end(at + outline.size - 1)

        return act

    async def follow(self, outline: Chain, inner: Mapping[int, Act], name: str, at: int, index: Index) -> None:
        """The same for what is a single node."""
        hands = Hands(self.performance)
        try:
            for _, do in self.steps(outline, inner, name, at, index, hands):
                await do()
        finally:
            hands.empty()
        self.performance.end(at + outline.size - 1)

    def labels(self, outline: Chain, name: str) -> Iterator[str]:
        for part in outline.parts:
            if isinstance(part.outline, Task):
                yield from (work_label(work) for work, _ in part.outline.does if isinstance(work, Work))
            else:
                yield label(part.outline, name)

    def steps(
        self, outline: Chain, inner: Mapping[int, Act], name: str, at: int, index: Index, hands: Hands
    ) -> Iterator[Step]:
        """What is done, each with the node that does it; taking and giving agents has no node of its own."""
        for part in outline.parts:
            here, what = at + part.at, part.outline
            if self.performance.waits:
                yield "", partial(self.performance.ready, here)
            if not isinstance(what, Task):
                if self.performance.busy(here, what.size) or may_wait(what):
                    yield label(what, name), partial(inner[part.at], here, index)
                continue
            if self.performance.duration(here) < 0:
                continue
            if self.performance.graph.acquire[here] >= 0:
                crews = self.performance.script.graph.pools[0] != DEFAULT_CREW
                self.stage.beside["agents of crews" if crews else "agents"] = None
                yield "", partial(hands.take, here)
            for work, one, seconds in self.performance.script.stretches(what, here, index, self.performance.row):
                if seconds > 0 or self.performance.graph.leave[here] >= 0:
                    yield work_label(work), partial(self.work, work, one, here, seconds)
            yield "", partial(self.ended, here, hands)

    async def ended(self, at: int, hands: Hands) -> None:
        hands.give(at)
        self.performance.end(at)

    # What is done

    async def work(self, work: Work, index: Index, at: int, seconds: float) -> None:
        """Requests, tools, people, for so many seconds of the plan."""
        performance = self.performance
        start = performance.now
        try:
            if work.kind == "agent":
                requests = performance.script.requests(work, index, performance.row, seconds)
                if requests:
                    on = TurnByTurn(iter(requests), performance.scale)
                    await self.agent.ainvoke({"(on)": on}, self.stage.config)
                else:
                    await actors.wait(seconds / performance.scale)
            elif work.model is not None:
                await actors.ask(seconds / performance.scale)
            elif work.kind == "tool":
                await actors.call(seconds / performance.scale)
            else:
                await actors.wait((seconds + performance.away(at)) / performance.scale)
        finally:
            performance.note(work, index, start)

    def agent_loop(self) -> Any:
        """A ReAct loop: the model, its tools, and the model again while there are tools to be called."""
        graph: Any = StateGraph(On)

        async def model(state: On) -> None:
            await actors.ask(state["(on)"].seconds())

        async def tools(state: On) -> None:
            await actors.call(state["(on)"].seconds())

        async def following(state: On) -> str:
            return str(state["(on)"].next())

        graph.add_node("model", model)
        graph.add_node("tools", tools)
        for source in (START, "model", "tools"):
            graph.add_conditional_edges(source, following, ["model", "tools", END])
        return self.stage.compiled("agent", graph)


class Hands:
    """The agents that an item holds. What is cancelled on its way gives them back."""

    def __init__(self, performance: Performance) -> None:
        self.performance = performance
        self.held: list[int] = []

    async def take(self, task: int) -> None:
        """Get the agent that a task takes."""
        pool = int(self.performance.graph.acquire[task])
        await self.performance.pools.take(pool, task)
        self.held.append(pool)

    def give(self, task: int) -> None:
        """Give back the agent that a task gives."""
        pool = int(self.performance.graph.release[task])
        if pool >= 0:
            self.held.remove(pool)
            self.performance.pools.give(pool)

    def empty(self) -> None:
        while self.held:
            self.performance.pools.give(self.held.pop())


class TurnByTurn:
    """The requests and tool calls of a loop, one after the other."""

    def __init__(self, requests: Iterator[RequestSpan], scale: float) -> None:
        self.requests, self.scale = requests, scale
        self.now: RequestSpan = ("", 0.0)

    def next(self) -> str:
        """The node that is next."""
        self.now = next(self.requests, (END, 0.0))
        return self.now[0]

    def seconds(self) -> float:
        return self.now[1] / self.scale


class Walk:
    """Goes through the steps of an item: what needs no node is done on the way to the next that has one."""

    def __init__(self, steps: Iterator[Step]) -> None:
        self.steps = steps
        self.do: Callable[[], Awaitable[None]] | None = None

    async def next(self) -> str:
        """The node of the next step."""
        for name, do in self.steps:
            if name:
                self.do = do
                return name
            await do()
        return END

    async def go(self) -> None:
        assert self.do is not None
        await self.do()


def work_label(work: Work) -> str:
    """The node of a work: its step, or the mechanism of its crew."""
    return f"{work.step} {work.kind}" if work.coordination else work.step


def label(outline: Outline, name: str) -> str:
    """What the works of a part have in common in the names of their steps; else what is around it."""
    paths = [work.step.split(".") for one, _, _ in tasks(outline, 0, ()) for work, _ in one.does
             if isinstance(work, Work) and not work.coordination]  # fmt: skip
    shared = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return ".".join(names[0] for names in shared) or name or "part"
