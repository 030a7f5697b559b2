"""Crews and merge queues for code that runs: free slots go to who waits by (ready time, task), as in docs/model.md."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence

from planner.langgraph_bridge.virtual_clock import VirtualLoop


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
