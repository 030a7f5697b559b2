"""An asyncio loop whose clock stands still while anything can run, and then jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

RESOLUTION = 1e-9
"""Seconds within which timers are due together. Less than a tick, 2⁻²⁰ s; at 0 asyncio would not see one as due."""

PATIENCE = 5.0
"""Real seconds to wait for a thread before looking again."""

Result = TypeVar("Result")


class DeadlockError(RuntimeError):
    """Something waits, and nothing is left that could end that."""


class _Selector(selectors.SelectSelector):
    """Instead of sleeping until the next timer, moves the clock there."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.threads:  # they run in real time: the clock stands until they are done
            return super().select(PATIENCE)
        if sum([end() for end in self.loop.at_end_of_instant]):  # every one is asked
            return []
        self.loop.jump()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds count from 0.

    at_end_of_instant : called when nothing is left to do at an instant; each tells whether it gave more to do
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
        """To the next timer. Raises DeadlockError."""
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
        self.threads += 1  # it waits for one that no future here stands for
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self.threads -= 1

    def _thread_is_done(self, _: object) -> None:
        self.threads -= 1


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, Result]]) -> tuple[Result, float]:
    """Run a coroutine on a loop of its own; its result and the seconds that passed on the virtual clock."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:  # what is left when it is interrupted is cancelled
        result = runner.run(main(loop))
        return result, loop.now
