"""Simulates plans on common random draws, block by block, until enough is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from planner.sampling.accumulator import Accumulator
from planner.sampling.backends import Backend, Job, ThreadBackend
from planner.sampling.batch import Batch
from planner.sampling.stopping import Precision, Stopping

Progress = Callable[[float], None]


def quiet(done: float) -> None:
    """Progress that nobody sees."""


def sample(
    plans: Sequence[Batch], stopping: Stopping, backend: Backend | None = None, progress: Progress = quiet
) -> list[Accumulator]:
    """Take as many samples as `stopping` says, the same of every plan.

    Blocks are added up in their order, wherever they were simulated, so that the same numbers come out. Those after a
    look are begun before it is known whether they are wanted, so that no core waits for it.

    progress : told the share of the samples up to the next look that are done
    """
    found = [Accumulator(plan) for plan in plans]
    width = min(plan.width for plan in plans)
    with (backend or ThreadBackend()).open(plans) as simulated:
        blocks = simulated(_parts(stopping, width))
        for look in stopping.looks():
            progress(found[0].count / look)
            while found[0].count < look:
                for sampled, block in zip(found, next(blocks), strict=True):
                    sampled.add(block)
                progress(found[0].count / look)
                if stopping.late:
                    return found
            if stopping.may_stop and reached(found, stopping).converged:
                break
    return found


def _parts(stopping: Stopping, width: int) -> Iterator[Job]:
    """Samples of blocks, the last of each look no further than it."""
    done = 0
    for look in stopping.looks():
        for low in range(done, look, width):
            yield low, min(low + width, look)
        done = look


def reached(found: Sequence[Accumulator], stopping: Stopping) -> Precision:
    """The precision that there is of what is asked for."""
    return Precision.of(
        stopping.target,
        (
            seconds
            for sampled in found
            for cell, seconds in zip(sampled.plan.cells, sampled.seconds, strict=True)
            if cell.asked
        ),
    )
