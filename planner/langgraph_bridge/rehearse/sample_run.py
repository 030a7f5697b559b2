"""State of a running sample: slots of pools, waits between tasks, and the start and end of every piece of work."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from planner.expansion.graph.conditions import Index
from planner.expansion.graph.work import Work
from planner.langgraph_bridge.virtual_clock import VirtualLoop
from planner.measures.playback import Playback, Spans

RECURSION_LIMIT = 1_000_000
"""LangGraph's limit on the number of supersteps of a graph. It is high enough for every loop."""


class Pools:
    """Pools of slots, such as agents. Tasks seize and release the slots.

    On a virtual clock, free slots are given out when nothing else can run at the current time. All tasks that want a
    slot at this time are then in the queue. On a real clock, free slots are given out immediately.
    """

    def __init__(self, capacity: Sequence[int]) -> None:
        self.loop = asyncio.get_running_loop()
        self.free = list(capacity)
        self.queues: list[list[tuple[float, int, asyncio.Future[None]]]] = [[] for _ in capacity]
        self.turns: list[asyncio.Future[None]] = []
        if isinstance(self.loop, VirtualLoop):
            self.loop.at_end_of_instant.append(self.grant)

    async def seize(self, pool: int, task: int) -> None:
        """Wait until a task gets a slot of a pool.

        Tasks get slots in the order of their calls. If two tasks call at the same time, the task with the lower number
        goes first.
        """
        slot: asyncio.Future[None] = self.loop.create_future()
        heapq.heappush(self.queues[pool], (self.loop.time(), task, slot))
        self._changed()
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled():
                self.release(pool)  # the slot was granted in the instant of the cancellation
            raise

    async def turn(self) -> None:
        """Wait for the next time at which the pools grant slots. On a real clock, return immediately.

        After this wait, LangGraph's own slots are taken in the same order as the slots of the pools.
        """
        if isinstance(self.loop, VirtualLoop):
            turn: asyncio.Future[None] = self.loop.create_future()
            self.turns.append(turn)
            await turn

    def release(self, pool: int) -> None:
        self.free[pool] += 1
        self._changed()

    def _changed(self) -> None:
        if not isinstance(self.loop, VirtualLoop):
            self.loop.call_soon(self.grant)

    def grant(self) -> bool:
        """Give free slots to waiting tasks. Return whether any waiting task can continue."""
        granted = bool(self.turns)
        for turn in self.turns:
            if not turn.done():
                turn.set_result(None)
        self.turns = []
        for pool, queue in enumerate(self.queues):
            while queue and (queue[0][2].done() or self.free[pool] > 0):
                _, _, slot = heapq.heappop(queue)
                if not slot.done():  # a done future was cancelled
                    self.free[pool] -= 1
                    slot.set_result(None)
                    granted = True
        return granted


class SampleRun:
    """The state of a sample while it runs on LangGraph.

    scale : number by which all planned durations are divided
    spans : start and end of each piece of work, in planned seconds
    waits_for : task → tasks that must end before the task starts
    joins : tasks that do no work. Such a task ends as soon as the tasks that it waits for have ended
    ended : task → end of the task, in planned seconds
    """

    def __init__(self, playback: Playback, row: int, scale: float = 1.0) -> None:
        self.playback, self.row, self.scale = playback, row, scale
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time()
        self.graph = playback.graph.graph
        self.pools = Pools(self.graph.capacity.tolist())
        self.spans: Spans = {}
        self.waits_for: dict[int, list[int]] = defaultdict(list)
        self.joins: set[int] = set()
        self.ended: dict[int, float] = {}
        self.end_events: dict[int, asyncio.Event] = {}
        self.predecessors: dict[int, list[int]] = {}

    @property
    def now(self) -> float:
        """Time since the start of the sample, in planned seconds."""
        return (self.loop.time() - self.start) * self.scale

    # Durations

    def duration(self, task: int) -> float:
        """Return the planned duration of a task in seconds. A negative duration means that the task is skipped."""
        return float(self.playback.durations[self.row, task])

    def has_effect(self, first: int, size: int) -> bool:
        """Whether any of `size` consecutive tasks takes time or an agent.

        A task may take an agent for 0 s. It counts too, because it must wait for the agent.

        first : number of the first of these tasks
        """
        tasks = slice(first, first + size)
        seconds = self.playback.durations[self.row, tasks]
        return bool(((seconds > 0) | ((seconds == 0) & (self.graph.acquire[tasks] >= 0))).any())

    def seconds_away(self, task: int) -> float:
        """Return the seconds until the person who does a task is back, if the task starts now.

        Return 0 if the person is not away.
        """
        leave = int(self.graph.leave[task])
        if leave < 0:
            return 0.0
        times = self.playback.times
        waited = self.now - self.end_of(int(self.graph.since[leave]))
        return float(times.away[self.row, leave]) if waited > times.patience[self.row, leave] else 0.0

    def end_of(self, task: int) -> float:
        """Return the time at which a task ended, in planned seconds.

        If the task never ran, return the latest end of its predecessors.
        """
        if task not in self.ended:
            if not self.predecessors:
                self._read_edges()
            self.ended[task] = max((self.end_of(other) for other in self.predecessors.get(task, ())), default=0.0)
        return self.ended[task]

    def _read_edges(self) -> None:
        bounds = self.graph.successor_start.tolist()
        for source in range(len(self.graph)):
            for target in self.graph.successors[bounds[source] : bounds[source + 1]].tolist():
                self.predecessors.setdefault(target, []).append(source)

    # Tasks that wait for each other

    def add_wait(self, source: int, target: int, is_join: bool) -> None:
        """Let the task `target` wait for the task `source`.

        is_join : whether to add `target` to `joins`
        """
        self.waits_for[target].append(source)
        if is_join:
            self.joins.add(target)

    async def wait_for_others(self, task: int) -> None:
        """Wait until all tasks in `waits_for[task]` have ended. LangGraph has no edges for these waits."""
        for source in self.waits_for.get(task, ()):
            if source in self.joins:
                await self.wait_for_others(source)
            else:
                await self._end_event(source).wait()

    async def take_turn(self, task: int) -> None:
        """Wait for the next time at which the pools grant slots. Then record that the task has ended.

        After this wait, the node of the task can take one of LangGraph's slots.
        """
        await self.pools.turn()
        self.end(task)

    def end(self, task: int) -> None:
        """Record that a task ends now."""
        self.ended[task] = self.now
        if task in self.end_events or self.waits_for:
            self._end_event(task).set()

    def _end_event(self, task: int) -> asyncio.Event:
        return self.end_events.setdefault(task, asyncio.Event())

    def record(self, work: Work, index: Index, start: float) -> None:
        """Record a piece of work that ends now, because it is completed or cancelled.

        start : start of the work, in planned seconds
        """
        if self.now > start and not math.isclose(self.now, start, rel_tol=0, abs_tol=1e-12):
            self.spans[work.step, work.kind, index] = (start, self.now)


class GraphContext:
    """State that all graphs of a workflow share.

    run : the sample that the graphs run now
    compiled : compiled graphs. Each has the name of the part of the workflow that it runs, such as the path of a step
    without_langgraph : names of the parts that run without LangGraph, because LangGraph cannot express them. The names
        are the keys of a dict, which keeps their order; all values are None
    """

    run: SampleRun

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.compiled: list[tuple[str, Any]] = []
        self.without_langgraph: dict[str, None] = {}

    @property
    def config(self) -> dict[str, Any]:
        """Configuration for each call of a compiled graph."""
        limit = {} if self.limit is None else {"max_concurrency": self.limit}
        return {"recursion_limit": RECURSION_LIMIT, **limit}

    def compile(self, name: str, graph: Any) -> Any:
        """Compile a StateGraph, and add it to `compiled`. Return the compiled graph."""
        compiled = graph.compile(name=name or "workflow")
        self.compiled.append((name, compiled))
        return compiled
