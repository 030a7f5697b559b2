"""Simulates plans on common random draws, block by block, until enough is known."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from planner.engine.statistics import Values
from planner.sampling.accumulator import Accumulator
from planner.sampling.backends import Backend, Job, ThreadBackend
from planner.sampling.batch import Batch

FIRST_LOOK = 256
"""Samples before it is first asked whether there are enough; then after twice as many, and so on."""

ENOUGH = 0.01
"""Half of the 95 % interval of p50 and p90, as a share of each, that is enough if nothing else is asked for."""

USUALLY = 1024
"""Most samples that are taken if neither their number nor a precision is asked for."""

MOST = 1 << 20
"""Most samples that are taken for a precision."""

PERCENTILES = (0.5, 0.9)
"""Whose intervals decide."""


@dataclass(frozen=True)
class Precision:
    """What was reached.

    target : wanted half-width of the 95 % intervals of p50 and p90, as a share of each
    p50, p90 : the largest half-width among all scenarios, likewise; None: too few samples, or no time at all
    """

    target: float
    p50: float | None
    p90: float | None

    @property
    def converged(self) -> bool:
        return self.p50 is not None and self.p90 is not None and max(self.p50, self.p90) <= self.target

    def needed(self, samples: int) -> int | None:
        """About how many samples reach the target, after so many that did not: half-widths shrink as 1 / √samples."""
        if self.p50 is None or self.p90 is None or not self.target:
            return None
        return math.ceil(samples * (max(self.p50, self.p90) / self.target) ** 2)

    @classmethod
    def of(cls, target: float, cells: Iterable[Values]) -> Precision:
        """Of the completion times of all scenarios."""
        widths = [[half_width(cell.quantile(q), *cell.known_interval(q)) for q in PERCENTILES] for cell in cells]
        most = (None if None in each else max(filter(None, each), default=0.0) for each in zip(*widths, strict=True))
        return cls(target, *most)


def half_width(value: float, low: float | None, high: float | None) -> float | None:
    """Half of an interval around a value, as a share of it; None if the interval is unknown, or the value 0."""
    if low is None or high is None:
        return None
    if high == low:
        return 0.0
    return (high - low) / 2 / value if value else None


@dataclass(frozen=True)
class Stopping:
    """When to stop.

    samples : exactly so many; with a precision at most so many
    precision : as `Precision.target`
    seconds : after so long, whatever is reached; no results are without their first samples
    """

    samples: int | None = None
    precision: float | None = None
    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def may_stop(self) -> bool:
        """Whether fewer samples than `most` may be enough."""
        return self.samples is None or self.precision is not None

    @property
    def target(self) -> float:
        return ENOUGH if self.precision is None else self.precision

    @property
    def most(self) -> int:
        """Samples that are never exceeded."""
        if self.samples is not None:
            return self.samples
        return USUALLY if self.precision is None and self.seconds is None else MOST

    def looks(self) -> Iterator[int]:
        """Numbers of samples after which to ask whether there are enough. The last is `most`."""
        look = FIRST_LOOK if self.may_stop else self.most
        while look < self.most:
            yield look
            look *= 2
        yield self.most

    @property
    def half(self) -> Stopping:
        """The same, after half the time."""
        return self if self.seconds is None else replace(self, seconds=self.seconds / 2)

    @property
    def late(self) -> bool:
        """Whether time is over."""
        return self.seconds is not None and time.monotonic() - self.began >= self.seconds


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
