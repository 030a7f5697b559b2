"""Where blocks are simulated: here, on all cores of this machine, or on a Dask cluster. The results are the same."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Protocol

from planner.errors import InputError, Problem
from planner.sampling.batch import Batch
from planner.sampling.block import Block, simulate_blocks

Job = tuple[int, int]
"""Samples from, and to before."""

Simulated = Callable[[Iterable[Job]], Iterator[list[Block]]]
"""Blocks of all plans, in the order of their jobs; some jobs are begun before their turn."""

PATIENCE = 30
"""Seconds for which a cluster may be without a worker before anything is sent."""

LOOK = 5
"""Seconds between looks at whether it still has one; a worker that a nanny replaces is back by the next."""


class Backend(Protocol):
    """at_once : blocks in work at the same time in this process."""

    at_once: int

    def open(self, plans: Sequence[Batch]) -> AbstractContextManager[Simulated]:
        """Make ready to simulate blocks of these plans; leaving it stops what is still in work."""
        ...


class ThreadBackend:
    """Threads of this process. The kernel and most of numpy run beside each other."""

    def __init__(self, count: int | None = None) -> None:
        """`count`: None: as many as this process may use cores."""
        self.at_once = count or cores()

    @contextmanager
    def open(self, plans: Sequence[Batch]) -> Iterator[Simulated]:
        if self.at_once == 1:
            yield lambda jobs: (simulate_blocks(plans, *job) for job in jobs)
            return
        from concurrent.futures import Future, ThreadPoolExecutor
        from threading import Event

        pool, over = ThreadPoolExecutor(self.at_once), Event()

        def simulated(jobs: Iterable[Job]) -> Iterator[list[Block]]:
            waiting: deque[Future[list[Block]]] = deque()
            for job in jobs:
                waiting.append(pool.submit(simulate_blocks, plans, *job, over.is_set))
                if len(waiting) > self.at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        try:
            yield simulated
        finally:
            over.set()
            pool.shutdown(wait=True, cancel_futures=True)


class DaskBackend:
    """A Dask cluster, through joblib. Its processes need this package; what a lost worker had in work is done again.

    Where all workers are lost it waits for another: clusters grow and shrink. That is said once.
    """

    at_once = 1

    def __init__(self, scheduler: str, say: Callable[[str], None] | None = None) -> None:
        """`scheduler`: its address, such as ``tcp://10.0.0.5:8786``; `say`: is told of a wait; None: standard error."""
        self.scheduler = scheduler
        self.say = say or _to_stderr

    @contextmanager
    def open(self, plans: Sequence[Batch]) -> Iterator[Simulated]:
        from concurrent.futures import CancelledError

        import joblib  # type: ignore[import-untyped]
        from distributed import Client, KilledWorker  # type: ignore[import-not-found,import-untyped,unused-ignore]

        try:
            client = Client(self.scheduler, set_as_default=True)  # type: ignore[no-untyped-call,unused-ignore]
        except (OSError, ValueError) as error:
            raise self._refusal("cannot be reached", error, "as in tcp://10.0.0.5:8786") from None
        with client:
            try:
                client.wait_for_workers(1, PATIENCE)  # type: ignore[no-untyped-call,unused-ignore]
            except TimeoutError as error:
                raise self._refusal("has no worker", error, f"start one: dask worker {self.scheduler}") from None
            found = client.run(find_spec, "planner")  # type: ignore[no-untyped-call,unused-ignore]
            found["scheduler"] = client.run_on_scheduler(find_spec, "planner")  # type: ignore[no-untyped-call,unused-ignore]
            lacking = ", ".join(sorted(address for address, spec in found.items() if spec is None))
            if lacking:  # Dask would say so in its logs alone, and this process wait without end
                raise self._refusal("cannot be used", f"no planner on {lacking}", "install this version of it there")
            threads: dict[str, int] = client.nthreads()  # type: ignore[no-untyped-call,unused-ignore]
            at_once = 2 * max(1, sum(threads.values()))

            def simulated(jobs: Iterable[Job]) -> Iterator[list[Block]]:
                work = joblib.Parallel(return_as="generator", pre_dispatch=at_once, batch_size=1)
                try:
                    yield from work(joblib.delayed(simulate_blocks)(plans, *job) for job in jobs)
                except (CancelledError, ImportError, KilledWorker, OSError) as error:
                    hint = "its workers need this version of the planner; their logs may tell more"
                    raise self._refusal("or its workers failed", error, hint) from None

            with joblib.parallel_config(backend="dask"), self._watched(client.nthreads):
                yield simulated

    @contextmanager
    def _watched(self, workers: Callable[[], Sized]) -> Iterator[None]:
        """Say so if there are no workers at two looks in a row."""
        from concurrent.futures import CancelledError
        from threading import Event, Thread

        over = Event()

        def watch() -> None:
            missed = 0
            while missed < 2:
                if over.wait(LOOK):
                    return
                try:
                    missed = 0 if len(workers()) else missed + 1
                except (CancelledError, OSError, RuntimeError):  # the scheduler is lost, which who waits for it hears
                    return
            self.say(
                f"the Dask cluster at {self.scheduler} has lost all its workers; waiting for another. "
                f"Start one: dask worker {self.scheduler}"
            )

        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _refusal(self, what: str, error: BaseException | str, hint: str) -> InputError:
        said = (str(error) or type(error).__name__).splitlines()[0]
        return InputError([Problem("bad-value", f"the Dask scheduler {self.scheduler} {what}: {said}", None, hint)])


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def missing() -> str:
    """Packages that a Dask cluster needs and that are not installed, with commas between them."""
    return ", ".join(name for name in ("joblib", "distributed") if find_spec(name) is None)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
