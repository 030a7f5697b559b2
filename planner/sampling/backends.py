"""Backends that simulate blocks: threads of this process, or a Dask cluster. Their results are the same."""

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
"""The samples of a block: number of the first sample, and number after the last."""

Simulate = Callable[[Iterable[Job]], Iterator[list[Block]]]
"""A function that yields for each job, in order, a list with one block of each batch. Jobs may start in advance."""

PATIENCE = 30
"""Seconds to wait for a cluster's first worker."""

LOOK = 5
"""Seconds between checks that the cluster still has a worker. Dask replaces a lost worker within that time."""


class Backend(Protocol):
    """A backend simulates blocks of samples.

    at_once : number of blocks that are simulated concurrently in this process
    """

    at_once: int

    def open(self, batches: Sequence[Batch]) -> AbstractContextManager[Simulate]:
        """Return a context manager. It provides a function that simulates blocks of these batches.

        At the end of the context, unfinished blocks are cancelled.
        """
        ...


class ThreadBackend:
    """Backend that simulates blocks of samples in threads of this process.

    The threads use several cores, because the kernel and most of numpy release the interpreter lock.
    """

    def __init__(self, count: int | None = None) -> None:
        """Use `count` threads. If `count` is None, use one thread for each core that this process may use."""
        self.at_once = count or cores()

    @contextmanager
    def open(self, batches: Sequence[Batch]) -> Iterator[Simulate]:
        if self.at_once == 1:
            yield lambda jobs: (simulate_blocks(batches, *job) for job in jobs)
            return
        from concurrent.futures import Future, ThreadPoolExecutor
        from threading import Event

        pool, cancelled = ThreadPoolExecutor(self.at_once), Event()

        def simulate(jobs: Iterable[Job]) -> Iterator[list[Block]]:
            started: deque[Future[list[Block]]] = deque()
            for job in jobs:
                started.append(pool.submit(simulate_blocks, batches, *job, cancelled.is_set))
                if len(started) > self.at_once:
                    yield started.popleft().result()
            while started:
                yield started.popleft().result()

        try:
            yield simulate
        finally:
            cancelled.set()
            pool.shutdown(wait=True, cancel_futures=True)


class DaskBackend:
    """Backend that simulates blocks of samples on a Dask cluster. The scheduler and the workers need this package.

    If a worker is lost, its blocks are simulated again. If all workers are lost, the backend reports this fact once.
    Then it waits for a new worker.
    """

    at_once = 1

    def __init__(self, scheduler: str, say: Callable[[str], None] | None = None) -> None:
        """Set the address of the cluster. The method `open` connects to the cluster.

        scheduler : address of the scheduler, such as ``tcp://10.0.0.5:8786``
        say : function to call with a message if all workers are lost; None: print the message to standard error
        """
        self.scheduler = scheduler
        self.say = say or _to_stderr

    @contextmanager
    def open(self, batches: Sequence[Batch]) -> Iterator[Simulate]:
        from concurrent.futures import CancelledError

        import joblib  # type: ignore[import-untyped]
        from distributed import Client, KilledWorker  # type: ignore[import-not-found,import-untyped,unused-ignore]

        try:
            client = Client(self.scheduler, set_as_default=True)  # type: ignore[no-untyped-call,unused-ignore]
        except (OSError, ValueError) as error:
            raise self._refusal("cannot be reached", error, "write for example tcp://10.0.0.5:8786") from None
        with client:
            try:
                client.wait_for_workers(1, PATIENCE)  # type: ignore[no-untyped-call,unused-ignore]
            except TimeoutError as error:
                raise self._refusal("has no worker", error, f"start one: dask worker {self.scheduler}") from None
            specs = client.run(find_spec, "planner")  # type: ignore[no-untyped-call,unused-ignore]
            specs["scheduler"] = client.run_on_scheduler(find_spec, "planner")  # type: ignore[no-untyped-call,unused-ignore]
            lacking = ", ".join(sorted(address for address, spec in specs.items() if spec is None))
            if lacking:  # Dask would only log it, and this process would wait forever
                raise self._refusal("cannot be used", f"no planner on {lacking}", "install this version of it there")
            threads: dict[str, int] = client.nthreads()  # type: ignore[no-untyped-call,unused-ignore]
            at_once = 2 * max(1, sum(threads.values()))

            def simulate(jobs: Iterable[Job]) -> Iterator[list[Block]]:
                work = joblib.Parallel(return_as="generator", pre_dispatch=at_once, batch_size=1)
                try:
                    yield from work(joblib.delayed(simulate_blocks)(batches, *job) for job in jobs)
                except (CancelledError, ImportError, KilledWorker, OSError) as error:
                    hint = "its workers need this version of the planner; their logs may tell more"
                    raise self._refusal("or its workers failed", error, hint) from None

            with joblib.parallel_config(backend="dask"), self._watched(client.nthreads):
                yield simulate

    @contextmanager
    def _watched(self, workers: Callable[[], Sized]) -> Iterator[None]:
        """Check regularly whether the cluster has workers, until the context ends.

        If two successive checks find no worker, report this fact once.

        workers : function that returns the workers of the cluster
        """
        from concurrent.futures import CancelledError
        from threading import Event, Thread

        closed = Event()

        def watch() -> None:
            missed = 0
            while missed < 2:
                if closed.wait(LOOK):
                    return
                try:
                    missed = 0 if len(workers()) else missed + 1
                except (CancelledError, OSError, RuntimeError):  # the scheduler is lost; the main thread raises
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
            closed.set()
            thread.join()

    def _refusal(self, problem: str, error: BaseException | str, hint: str) -> InputError:
        cause = (str(error) or type(error).__name__).splitlines()[0]
        return InputError([Problem("bad-value", f"the Dask scheduler {self.scheduler} {problem}: {cause}", None, hint)])


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def missing() -> str:
    """Return the names of the packages that must be installed before `DaskBackend` can be used.

    The names are separated by commas. The text is empty if all packages are installed.
    """
    return ", ".join(name for name in ("joblib", "distributed") if find_spec(name) is None)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
