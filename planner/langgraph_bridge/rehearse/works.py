"""Run pieces of work on LangGraph. Models, tools and people do nothing but take time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from planner.expansion.graph.conditions import Index
from planner.expansion.graph.work import Work
from planner.langgraph_bridge.rehearse.sample_run import GraphContext
from planner.measures.playback import RequestSpan


class TimedModel(BaseChatModel):
    """Chat model that answers after a given time. Each call must have the argument `seconds`."""

    name: str = "model"

    @property
    def _llm_type(self) -> str:
        return "timed"

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        raise NotImplementedError("call it with ainvoke: it waits on the clock of an event loop")

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        await asyncio.sleep(kwargs["seconds"])
        return ChatResult(generations=[ChatGeneration(message=AIMessage("done"))])


async def _tool(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


MODEL = TimedModel()
TOOL = StructuredTool.from_function(coroutine=_tool, name="tool", description="Waits for a number of seconds.")


async def request_model(seconds: float) -> None:
    """Send a request to a model. The model answers after `seconds`."""
    await MODEL.ainvoke("go on", seconds=seconds)


async def call_tool(seconds: float) -> None:
    """Call a tool. The call takes `seconds`."""
    await TOOL.ainvoke({"seconds": seconds})


async def wait(seconds: float) -> None:
    """Wait for `seconds`. Use this for people, and for other work that uses neither a model nor a tool."""
    await asyncio.sleep(seconds)


CursorState = TypedDict("CursorState", {"(cursor)": Any}, total=False)
"""State of a graph that a cursor leads through. The brackets keep the key apart from names of steps."""


class RequestCursor:
    """Keeps track of an agent's current request or tool call, while a LangGraph graph runs the agent."""

    def __init__(self, requests: Iterator[RequestSpan], scale: float) -> None:
        self.requests, self.scale = requests, scale
        self.current: RequestSpan = ("", 0.0)

    def advance(self) -> str:
        """Go to the next request or tool call of the agent. Return the name of its node, or `END` if none is left."""
        self.current = next(self.requests, (END, 0.0))
        return self.current[0]

    def seconds(self) -> float:
        """Return the duration of the current request or tool call, in seconds on the clock of the event loop."""
        return self.current[1] / self.scale


class WorkRunner:
    """Runs pieces of work of the current sample on LangGraph. The current sample is `context.run`."""

    def __init__(self, context: GraphContext) -> None:
        self.context = context
        self.agent = self._agent_graph()

    async def run(self, work: Work, index: Index, task: int, seconds: float) -> None:
        """Run a piece of work: make requests, call tools or wait.

        index : indices of the work in the loops around it
        seconds : planned duration of the work
        """
        run = self.context.run
        start = run.now
        try:
            if work.kind == "agent":
                requests = run.playback.requests(work, index, run.row, seconds)
                if requests:
                    cursor = RequestCursor(iter(requests), run.scale)
                    await self.agent.ainvoke({"(cursor)": cursor}, self.context.config)
                else:
                    await wait(seconds / run.scale)
            elif work.model is not None:
                await request_model(seconds / run.scale)
            elif work.kind == "tool":
                await call_tool(seconds / run.scale)
            else:
                await wait((seconds + run.seconds_away(task)) / run.scale)
        finally:
            run.record(work, index, start)

    def _agent_graph(self) -> Any:
        """Build the graph of an agent (ReAct). The model and its tools take turns until the model calls no tools."""
        graph: Any = StateGraph(CursorState)

        async def model(state: CursorState) -> None:
            await request_model(state["(cursor)"].seconds())

        async def tools(state: CursorState) -> None:
            await call_tool(state["(cursor)"].seconds())

        async def next_node(state: CursorState) -> str:
            return str(state["(cursor)"].advance())

        graph.add_node("model", model)
        graph.add_node("tools", tools)
        for source in (START, "model", "tools"):
            graph.add_conditional_edges(source, next_node, ["model", "tools", END])
        return self.context.compile("agent", graph)
