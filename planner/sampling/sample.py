"""Batches and a stopping rule in; results of as many samples as the rule requires out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from planner.engine.statistics import Values
from planner.sampling.accumulator import Accumulator
from planner.sampling.backends import Backend, Job, ThreadBackend
from planner.sampling.batch import Batch

Item = TypeVar("Item")

FIRST_LOOK = 256
"""Number of samples at the first check of precision. The number doubles from check to check."""

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
    """The precision of p50 and p90: half the width of the 95% interval, divided by the percentile.

    target : requested precision
    p50, p90 : worst precision among all scenarios. None if a scenario has too few samples, or a percentile is 0
    """

    target: float
    p50: float | None
    p90: float | None

    @property
    def converged(self) -> bool:
        return self.p50 is not None and self.p90 is not None and max(self.p50, self.p90) <= self.target

    def needed(self, samples: int) -> int | None:
        """Estimate the number of samples that are needed to reach the target. Return None if the precision is unknown.

        The estimate assumes that the widths of intervals are proportional to 1 / √samples.

        samples : number of samples so far
        """
        if self.p50 is None or self.p90 is None or not self.target:
            return None
        return math.ceil(samples * (max(self.p50, self.p90) / self.target) ** 2)

    @classmethod
    def of(cls, target: float, seconds: Iterable[Values]) -> Precision:
        """Return the precision of the results of several scenarios.

        target : requested precision
        seconds : completion times of each scenario
        """
        widths = [[half_width(times.quantile(q), *times.known_interval(q)) for q in PERCENTILES] for times in seconds]
        most = (None if None in each else max(filter(None, each), default=0.0) for each in zip(*widths, strict=True))
        return cls(target, *most)


def half_width(value: float, low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval, divided by `value`. Return None if an end is None or `value` is 0.

    low, high : ends of the interval. If they are equal, the result is 0
    """
    if low is None or high is None:
        return None
    if high == low:
        return 0.0
    return (high - low) / 2 / value if value else None


@dataclass(frozen=True)
class Stopping:
    """A rule that decides when to stop sampling.

    If neither `samples` nor `precision` is requested, sampling stops at the precision `ENOUGH`.

    samples : largest number of samples; None: no number is requested
    precision : relative half-width of the 95% intervals of p50 and p90 at which to stop; None: none is requested
    seconds : time limit in seconds; None: no limit. At least one block is simulated, even if it takes longer
    began : start of the time limit, as a value of `time.monotonic`
    """

    samples: int | None = None
    precision: float | None = None
    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def may_stop(self) -> bool:
        """Whether sampling stops early if the results are precise enough."""
        return self.samples is None or self.precision is not None

    @property
    def target(self) -> float:
        return ENOUGH if self.precision is None else self.precision

    @property
    def most(self) -> int:
        """Largest number of samples to simulate."""
        if self.samples is not None:
            return self.samples
        return USUALLY if self.precision is None and self.seconds is None else MOST

    def looks(self) -> Iterator[int]:
        """Yield the numbers of samples at which the precision is checked, in rising order. The last is `most`."""
        count = FIRST_LOOK if self.may_stop else self.most
        while count < self.most:
            yield count
            count *= 2
        yield self.most

    @property
    def half(self) -> Stopping:
        """This stopping rule with half of its time limit."""
        return self if self.seconds is None else replace(self, seconds=self.seconds / 2)

    @property
    def late(self) -> bool:
        """Whether the time limit of this stopping rule has passed."""
        return self.seconds is not None and time.monotonic() - self.began >= self.seconds

    def parts(self, items: Sequence[Item], most: int, most_if_timed: int) -> Iterator[tuple[int, Sequence[Item]]]:
        """Yield parts of a list to simulate together, until time is over. Each part has the position of its first item.

        most : most items in a part
        most_if_timed : the same, if there is a time limit
        """
        size = most if self.seconds is None else most_if_timed
        for first in range(0, len(items), size):
            if self.late:
                return
            yield first, items[first : first + size]


Progress = Callable[[float], None]


def quiet(done: float) -> None:
    """Do nothing. This is the default of arguments that take a function for reporting progress."""


def sample(
    batches: Sequence[Batch], stopping: Stopping, backend: Backend | None = None, progress: Progress = quiet
) -> list[Accumulator]:
    """Simulate the same samples of every batch until the stopping rule is satisfied. Return the results of each batch.

    Blocks are added in order, so results do not depend on the backend. The backend may simulate further blocks during a
    check of precision.

    backend : simulates the blocks; None: threads on all cores
    progress : function to call with the ratio `samples so far / samples at the next check`
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


def extend(
    accumulators: Sequence[Accumulator], samples: int, backend: Backend | None = None, progress: Progress = quiet
) -> None:
    """Simulate further samples of every batch, until there are `samples` of each. Add them to the accumulators.

    accumulators : results of the batches so far. All have the same number of samples
    progress : function to call with the completed share of the further samples
    """
    batches = [accumulator.batch for accumulator in accumulators]
    first, width = accumulators[0].count, min(batch.width for batch in batches)
    with (backend or ThreadBackend()).open(batches) as simulate:
        for blocks in simulate((low, min(low + width, samples)) for low in range(first, samples, width)):
            for accumulator, block in zip(accumulators, blocks, strict=True):
                accumulator.add(block)
            progress((accumulators[0].count - first) / (samples - first))


def _jobs(stopping: Stopping, width: int) -> Iterator[Job]:
    """Yield the range of samples of each block. A block has at most `width` samples.

    A block also ends at each number of samples at which the precision is checked.
    """
    done = 0
    for look in stopping.looks():
        for low in range(done, look, width):
            yield low, min(low + width, look)
        done = look


def reached(accumulators: Sequence[Accumulator], stopping: Stopping) -> Precision:
    """Return the precision that the results of all batches have reached so far.

    Scenarios that are not `requested` are ignored.
    """
    return Precision.of(
        stopping.target,
        (
            seconds
            for accumulator in accumulators
            for point, seconds in zip(accumulator.batch.points, accumulator.seconds, strict=True)
            if point.requested
        ),
    )
