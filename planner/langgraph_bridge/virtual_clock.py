"""An asyncio event loop on a virtual clock. If no coroutine can run, the clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

RESOLUTION = 1e-9
"""Timers that are at most this many seconds apart fire together. The value is below a tick (2⁻²⁰ s).

With a resolution of 0, asyncio would fire no timer.
"""

PATIENCE = 5.0
"""Longest time in real seconds for which the loop waits for a thread. Then the loop checks again."""

Result = TypeVar("Result")


class DeadlockError(RuntimeError):
    """A coroutine waits forever, because no timer, thread or other coroutine can wake it."""


class _Selector(selectors.SelectSelector):
    """Selector that moves the virtual clock to the next timer instead of sleeping until the timer is due."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.threads:  # threads run in real time; until they end, the virtual clock stops
            return super().select(PATIENCE)
        if sum([callback() for callback in self.loop.at_end_of_instant]):  # a list: every callback is called
            return []
        self.loop.jump()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Event loop with a virtual clock that starts at 0 seconds.

    now : current time of the virtual clock, in seconds
    threads : number of running threads
    at_end_of_instant : functions that the loop calls when no coroutine can run at the current time. Each returns
        True if a coroutine can run after the call
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.threads = 0
        self.at_end_of_instant: list[Callable[[], bool]] = []
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        return self.now

    def jump(self) -> None:
        """Advance the virtual clock to the next timer. Raises DeadlockError if there is no timer."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if not timers:
            raise DeadlockError(f"at {self.now:.6f} s something waits that nothing will end")
        self.now = max(self.now, timers[0].when())

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        self.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_is_done)
        return future

    async def shutdown_default_executor(self, *timeout: Any) -> None:
        self.threads += 1  # the shutdown waits for another thread, which `run_in_executor` does not count
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self.threads -= 1

    def _thread_is_done(self, _: object) -> None:
        self.threads -= 1


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, Result]]) -> tuple[Result, float]:
    """Run the coroutine `main(loop)` on a new virtual loop. Return its result, and its duration in virtual seconds."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:  # after an interruption, it cancels all tasks
        result = runner.run(main(loop))
        return result, loop.now
