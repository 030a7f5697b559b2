"""Build the LangGraph graph of each chain. A chain is a sequence of parts that run one after another in an item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import takewhile
from typing import Any

from langgraph.graph import END, START, StateGraph

from planner.expansion.graph.conditions import Index
from planner.expansion.graph.outline import (
    Chain,
    Outline,
    Task,
    may_wait,
)
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.expansion.graph.work import Work
from planner.langgraph_bridge.rehearse.sample_run import GraphContext, SampleRun
from planner.langgraph_bridge.rehearse.works import CursorState, WorkRunner
from planner.measures.playback import tasks

RunPart = Callable[[int, Index], Awaitable[None]]
"""Function that runs a part of the workflow, given its first task and the indices of the loops around the part."""

BuildPart = Callable[[Outline, str], RunPart]
"""Function that builds the graphs of a part of the workflow, given its outline and its name."""

Action = tuple[str, Callable[[], Awaitable[None]]]
"""Name of a node, and the action to run in it. If the name is '', the action has no node and runs between two nodes."""

_POOLS = {DEFAULT_CREW: "agents", LEAD: "the lead"}
"""How results name the pools that do not belong to a crew of the file."""


class ChainGraphs:
    """Builds the graphs of chains. A chain is a sequence of parts that run one after another.

    build_part : function that builds the graphs of a part. The function is not called for a part that is a single task
    """

    def __init__(self, context: GraphContext, build_part: BuildPart) -> None:
        self.context, self.build_part = context, build_part
        self.works = WorkRunner(context)

    def chain(self, outline: Chain, name: str) -> RunPart:
        """Build the LangGraph graph of a chain, which is a sequence of parts. Return the function that runs the chain.

        A conditional edge leads from each node to the node that runs next in the sample.
        """
        inner = {part.at: self.build_part(part.outline, part_name(part.outline, name)) for part in outline.parts
                 if not isinstance(part.outline, Task)}  # fmt: skip
        nodes = list(dict.fromkeys(self._nodes(outline, name)))
        if len(nodes) < 2:
            return partial(self._run_directly, outline, inner, name)
        graph: Any = StateGraph(CursorState)

        async def node(state: CursorState) -> None:
            await state["(cursor)"].act()

        async def next_node(state: CursorState) -> str:
            return str(await state["(cursor)"].advance())

        for label in nodes:
            graph.add_node(label, node)
            graph.add_conditional_edges(label, next_node, [*nodes, END])
        graph.add_conditional_edges(START, next_node, [*nodes, END])
        compiled = self.context.compile(name, graph)

        async def run_chain(first: int, index: Index) -> None:
            agents = HeldAgents(self.context.run)
            try:
                cursor = ChainCursor(self._actions(outline, inner, name, first, index, agents))
                await compiled.ainvoke({"(cursor)": cursor}, self.context.config)
            finally:
                agents.release_all()
            self.context.run.end(first + outline.size - 1)

        return run_chain

    async def _run_directly(
        self, outline: Chain, inner: Mapping[int, RunPart], name: str, first: int, index: Index
    ) -> None:
        """Run a chain without a LangGraph graph. Use this function if the graph would have fewer than two nodes."""
        agents = HeldAgents(self.context.run)
        try:
            for _, act in self._actions(outline, inner, name, first, index, agents):
                await act()
        finally:
            agents.release_all()
        self.context.run.end(first + outline.size - 1)

    def _nodes(self, outline: Chain, name: str) -> Iterator[str]:
        for part in outline.parts:
            if isinstance(part.outline, Task):
                yield from (work_name(work) for work, _ in part.outline.does if isinstance(work, Work))
            else:
                yield part_name(part.outline, name)

    def _actions(
        self, outline: Chain, inner: Mapping[int, RunPart], name: str, first: int, index: Index, agents: HeldAgents
    ) -> Iterator[Action]:
        """Yield the actions of a chain in order, each with the name of its node.

        Actions that wait, seize agents or release agents have no node. Their name is empty.
        """
        run = self.context.run
        for part in outline.parts:
            task, content = first + part.at, part.outline
            if run.waits_for:
                yield "", partial(run.wait_for_others, task)
            if not isinstance(content, Task):
                if run.has_effect(task, content.size) or may_wait(content):
                    yield part_name(content, name), partial(inner[part.at], task, index)
                continue
            if run.duration(task) < 0:
                continue
            if run.graph.acquire[task] >= 0:
                pool = run.playback.graph.pools[run.graph.acquire[task]]
                self.context.without_langgraph[_POOLS.get(pool, "agents of crews")] = None
                yield "", partial(agents.seize, task)
            for work, occurrence, seconds in run.playback.stretches(content, task, index, run.row):
                if seconds > 0 or run.graph.leave[task] >= 0:
                    yield work_name(work), partial(self.works.run, work, occurrence, task, seconds)
            yield "", partial(self._end, task, agents)

    async def _end(self, task: int, agents: HeldAgents) -> None:
        agents.release(task)
        self.context.run.end(task)


class ChainCursor:
    """Keeps track of the current action of a chain, while a LangGraph graph runs the chain.

    Some actions have no node in the graph. They run between two nodes.
    """

    def __init__(self, actions: Iterator[Action]) -> None:
        self.actions = actions
        self.action: Callable[[], Awaitable[None]] | None = None

    async def advance(self) -> str:
        """Go to the next action that has a node. Return the name of this node, or `END` after the last action.

        Actions without a node are run on the way.
        """
        for node, action in self.actions:
            if node:
                self.action = action
                return node
            await action()
        return END

    async def act(self) -> None:
        """Run the current action."""
        assert self.action is not None
        await self.action()


class HeldAgents:
    """The agents that an item holds at the moment. `release_all` releases them, even if the item is cancelled."""

    def __init__(self, run: SampleRun) -> None:
        self.run = run
        self.pools: list[int] = []

    async def seize(self, task: int) -> None:
        """Wait for the agent that a task seizes at its start."""
        pool = int(self.run.graph.acquire[task])
        await self.run.pools.seize(pool, task)
        self.pools.append(pool)

    def release(self, task: int) -> None:
        """Release the agent that a task releases at its end. Do nothing if the task releases no agent."""
        pool = int(self.run.graph.release[task])
        if pool >= 0:
            self.pools.remove(pool)
            self.run.pools.release(pool)

    def release_all(self) -> None:
        while self.pools:
            self.run.pools.release(self.pools.pop())


def work_name(work: Work) -> str:
    """Return the name of the node that runs a piece of work.

    The name is the path of the step. For coordination, the name ends with the kind of coordination.
    """
    return f"{work.step} {work.kind}" if work.coordination else work.step


def part_name(outline: Outline, name: str) -> str:
    """Return a name for a part of the workflow: the longest common beginning of the paths of its steps.

    For example, the steps ``build.code`` and ``build.test`` give ``build``. Without a common beginning, return `name`.

    name : name of the outer part
    """
    paths = [work.step.split(".") for task, _, _ in tasks(outline, 0, ()) for work, _ in task.does
             if isinstance(work, Work) and not work.coordination]  # fmt: skip
    common = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return ".".join(names[0] for names in common) or name or "part"
