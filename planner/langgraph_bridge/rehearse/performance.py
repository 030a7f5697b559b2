"""One sample of a script as it is performed: who waits for whom, when works begin and end."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import defaultdict
from collections.abc import Sequence

from planner.expansion.graph.loops import Index
from planner.expansion.graph.work import Work
from planner.langgraph_bridge.virtual_clock import VirtualLoop
from planner.measures.playback import Playback, Spans


class Pools:
    """Pools of slots, given out when an instant of the virtual clock is over; on a real one as soon as may be."""

    def __init__(self, capacity: Sequence[int]) -> None:
        self.loop = asyncio.get_running_loop()
        self.free = list(capacity)
        self.queues: list[list[tuple[float, int, asyncio.Future[None]]]] = [[] for _ in capacity]
        self.turns: list[asyncio.Future[None]] = []
        if isinstance(self.loop, VirtualLoop):
            self.loop.at_end_of_instant.append(self.dispatch)

    async def take(self, pool: int, task: int) -> None:
        """Wait for a slot on behalf of a task."""
        turn: asyncio.Future[None] = self.loop.create_future()
        heapq.heappush(self.queues[pool], (self.loop.time(), task, turn))
        self._changed()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(pool)  # it was granted at the instant of being cancelled
            raise

    async def turn(self) -> None:
        """Wait until slots are given out next: who takes one of LangGraph's does so then, by the rule.

        On a real clock LangGraph's own order is all there is.
        """
        if isinstance(self.loop, VirtualLoop):
            turn: asyncio.Future[None] = self.loop.create_future()
            self.turns.append(turn)
            await turn

    def give(self, pool: int) -> None:
        self.free[pool] += 1
        self._changed()

    def _changed(self) -> None:
        if not isinstance(self.loop, VirtualLoop):
            self.loop.call_soon(self.dispatch)

    def dispatch(self) -> bool:
        """Give free slots to those who wait; whether anybody got one."""
        granted = bool(self.turns)
        for turn in self.turns:
            if not turn.done():
                turn.set_result(None)
        self.turns = []
        for pool, queue in enumerate(self.queues):
            while queue and (queue[0][2].done() or self.free[pool] > 0):
                _, _, turn = heapq.heappop(queue)
                if not turn.done():  # else it was cancelled
                    self.free[pool] -= 1
                    turn.set_result(None)
                    granted = True
        return granted


class Performance:
    """A sample on its way.

    scale : how many times as fast as it would be
    spans : when works began and ended, in seconds of the plan
    """

    def __init__(self, script: Playback, row: int, scale: float = 1.0) -> None:
        self.script, self.row, self.scale = script, row, scale
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time()
        self.graph = script.graph.graph
        self.pools = Pools(self.graph.capacity.tolist())
        self.spans: Spans = {}
        self.waits: dict[int, list[int]] = defaultdict(list)  # tasks that must have ended before one begins
        self.joining: set[int] = set()  # tasks of no work that end when those have
        self.ended: dict[int, float] = {}
        self.told: dict[int, asyncio.Event] = {}
        self.before: dict[int, list[int]] = {}

    @property
    def now(self) -> float:
        return (self.loop.time() - self.start) * self.scale

    # What the script says

    def duration(self, task: int) -> float:
        """Seconds of a task; negative: it is skipped."""
        return float(self.script.durations[self.row, task])

    def busy(self, first: int, size: int) -> bool:
        """Whether any of these tasks takes time."""
        return bool((self.script.durations[self.row, first : first + size] > 0).any())

    def away(self, task: int) -> float:
        """How long the person of a task that begins now is away, having waited for too long."""
        row = int(self.graph.leave[task])
        if row < 0:
            return 0.0
        times = self.script.times
        waited = self.now - self.end_of(int(self.graph.since[row]))
        return float(times.away[self.row, row]) if waited > times.patience[self.row, row] else 0.0

    def end_of(self, task: int) -> float:
        """When a task ended; one that nobody came by, with the last of those before it."""
        if task not in self.ended:
            if not self.before:
                self._read_edges()
            self.ended[task] = max((self.end_of(other) for other in self.before.get(task, ())), default=0.0)
        return self.ended[task]

    def _read_edges(self) -> None:
        bounds = self.graph.successor_start.tolist()
        for source in range(len(self.graph)):
            for target in self.graph.successors[bounds[source] : bounds[source + 1]].tolist():
                self.before.setdefault(target, []).append(source)

    # Waiting for each other

    def join(self, source: int, target: int, joining: bool) -> None:
        """Let a task wait for another; `joining`: it has no work, and ends then."""
        self.waits[target].append(source)
        if joining:
            self.joining.add(target)

    async def ready(self, task: int) -> None:
        """Wait until what a task waits for beside the graph around it has ended."""
        for source in self.waits.get(task, ()):
            if source in self.joining:
                await self.ready(source)
            else:
                await self._event(source).wait()

    async def turn(self, task: int) -> None:
        """Let a task that takes one of LangGraph's slots do so when others take theirs."""
        await self.pools.turn()
        self.end(task)

    def end(self, task: int) -> None:
        """Note that a task has ended."""
        self.ended[task] = self.now
        if task in self.told or self.waits:
            self._event(task).set()

    def _event(self, task: int) -> asyncio.Event:
        return self.told.setdefault(task, asyncio.Event())

    def note(self, work: Work, index: Index, start: float) -> None:
        """Something has been done, or was cancelled, since `start`."""
        if self.now > start and not math.isclose(self.now, start, rel_tol=0, abs_tol=1e-12):
            self.spans[work.step, work.kind, index] = (start, self.now)
