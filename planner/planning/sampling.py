"""Simulates plans on common random draws, block by block, until enough is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.planning.backends import Backend, Threads
from planner.planning.plan import Plan
from planner.planning.precision import Precision, Stopping
from planner.planning.sampled import Sampled

Progress = Callable[[float], None]


def quiet(done: float) -> None:
    """Progress that nobody sees."""


def sample(
    plans: Sequence[Plan], stopping: Stopping, backend: Backend | None = None, progress: Progress = quiet
) -> list[Sampled]:
    """Take as many samples as `stopping` says, the same of every plan.

    Blocks are added up in their order, wherever they were simulated, so that the same numbers come out.

    progress : told the share of the samples up to the next look that are done
    """
    found = [Sampled(plan) for plan in plans]
    width = min(plan.width for plan in plans)
    with (backend or Threads()).open(plans) as simulated:
        for look in stopping.looks():
            progress(found[0].count / look)
            parts = [(low, min(low + width, look)) for low in range(found[0].count, look, width)]
            blocks = simulated((at, *part) for part in parts for at in range(len(plans)))
            for number, block in enumerate(blocks):
                at = number % len(plans)
                found[at].add(block)
                progress((found[at].count - block.seconds.shape[1] * (1 - (at + 1) / len(plans))) / look)
                if at == len(plans) - 1 and stopping.late:
                    return found
            if stopping.may_stop and reached(found, stopping).converged:
                break
    return found


def reached(found: Sequence[Sampled], stopping: Stopping) -> Precision:
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
