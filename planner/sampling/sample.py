"""Batches and a stopping rule in; results of as many samples as the rule requires out."""

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
"""Number of samples at the first check of precision. It doubles from check to check."""

ENOUGH = 0.01
"""Default precision: half the width of the 95% interval of p50 and of p90, as a share of the percentile."""

USUALLY = 1024
"""Most samples if no number of samples, no precision and no time limit is requested."""

MOST = 1 << 20
"""Most samples if a precision or a time limit is requested, but no number of samples."""

PERCENTILES = (0.5, 0.9)
"""The percentiles whose intervals decide when to stop."""


@dataclass(frozen=True)
class Precision:
    """The precision of a result.

    target : requested half-width of the 95% intervals of p50 and p90, as a share of the percentile
    p50, p90 : largest half-width of any scenario, as a share of the percentile; None if a scenario has too few samples,
        or a percentile of 0
    """

    target: float
    p50: float | None
    p90: float | None

    @property
    def converged(self) -> bool:
        return self.p50 is not None and self.p90 is not None and max(self.p50, self.p90) <= self.target

    def needed(self, samples: int) -> int | None:
        """Estimate the number of samples that reaches the target, since half-widths shrink as 1 / √samples.

        Return None if the precision so far is unknown. `samples` is the number of samples so far.
        """
        if self.p50 is None or self.p90 is None or not self.target:
            return None
        return math.ceil(samples * (max(self.p50, self.p90) / self.target) ** 2)

    @classmethod
    def of(cls, target: float, seconds: Iterable[Values]) -> Precision:
        """Return the precision of several scenarios. `seconds` has the completion times of each."""
        widths = [[half_width(times.quantile(q), *times.known_interval(q)) for q in PERCENTILES] for times in seconds]
        most = (None if None in each else max(filter(None, each), default=0.0) for each in zip(*widths, strict=True))
        return cls(target, *most)


def half_width(value: float, low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval as a share of `value`. None if the interval is unknown or `value` is 0."""
    if low is None or high is None:
        return None
    if high == low:
        return 0.0
    return (high - low) / 2 / value if value else None


@dataclass(frozen=True)
class Stopping:
    """A rule for when to stop sampling.

    samples : number of samples, or most samples if a precision is also given; None: no such limit
    precision : precision at which to stop, as in `Precision.target`; None: `ENOUGH`, unless `samples` is given
    seconds : time limit; None: no limit. At least one block is simulated, even if it takes longer.
    began : start of the time limit, by `time.monotonic`
    """

    samples: int | None = None
    precision: float | None = None
    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def may_stop(self) -> bool:
        """Whether sampling may stop before `most` samples."""
        return self.samples is None or self.precision is not None

    @property
    def target(self) -> float:
        return ENOUGH if self.precision is None else self.precision

    @property
    def most(self) -> int:
        """Most samples to simulate."""
        if self.samples is not None:
            return self.samples
        return USUALLY if self.precision is None and self.seconds is None else MOST

    def looks(self) -> Iterator[int]:
        """Yield the numbers of samples after which to check the precision. The last is `most`."""
        count = FIRST_LOOK if self.may_stop else self.most
        while count < self.most:
            yield count
            count *= 2
        yield self.most

    @property
    def half(self) -> Stopping:
        """The same rule with half the time."""
        return self if self.seconds is None else replace(self, seconds=self.seconds / 2)

    @property
    def late(self) -> bool:
        """Whether the time limit is reached."""
        return self.seconds is not None and time.monotonic() - self.began >= self.seconds


Progress = Callable[[float], None]


def quiet(done: float) -> None:
    """Ignore the progress: the default where a `Progress` is expected."""


def sample(
    batches: Sequence[Batch], stopping: Stopping, backend: Backend | None = None, progress: Progress = quiet
) -> list[Accumulator]:
    """Simulate the same samples of every batch, until `stopping` is satisfied. Return the results of each batch.

    Blocks are added in order, wherever they were simulated, so results do not depend on the backend. Blocks after a
    check of precision are started before the outcome of the check is known, so that no core is idle.

    backend : where blocks are simulated; None: threads on all cores
    progress : called with the number of samples done, divided by the number at the next check
    """
    accumulators = [Accumulator(batch) for batch in batches]
    width = min(batch.width for batch in batches)
    with (backend or ThreadBackend()).open(batches) as simulate:
        blocks = simulate(_jobs(stopping, width))
        for look in stopping.looks():
            progress(accumulators[0].count / look)
            while accumulators[0].count < look:
                for accumulator, block in zip(accumulators, next(blocks), strict=True):
                    accumulator.add(block)
                progress(accumulators[0].count / look)
                if stopping.late:
                    return accumulators
            if stopping.may_stop and reached(accumulators, stopping).converged:
                break
    return accumulators


def _jobs(stopping: Stopping, width: int) -> Iterator[Job]:
    """Yield a job for each block. No block has samples from before and after a check of precision."""
    done = 0
    for look in stopping.looks():
        for low in range(done, look, width):
            yield low, min(low + width, look)
        done = look


def reached(accumulators: Sequence[Accumulator], stopping: Stopping) -> Precision:
    """Return the precision that the requested scenarios of all batches have reached so far."""
    return Precision.of(
        stopping.target,
        (
            seconds
            for accumulator in accumulators
            for point, seconds in zip(accumulator.batch.points, accumulator.seconds, strict=True)
            if point.requested
        ),
    )
