"""Runs in, series out: runs of one model on one server with requests alike, which make one curve by concurrency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression

from planner.catalogue.benchmarks.run import Run

_ALIKE = 1.5
"""Mean lengths of requests that differ by more make series of their own; a longer context decodes more slowly."""

_READING = (10.0, 1e7)
"""Plausible prefill speeds, tokens/s."""

_WAITS = 0.25
"""Share of a request spent on the first token from which it may have been waiting for its turn."""


@dataclass(frozen=True)
class Point:
    """The runs at one concurrency. tpot : seconds per output token, mean over requests"""

    concurrency: int
    runs: tuple[Run, ...]

    @property
    def tpot(self) -> float:
        return _mean(self.runs, [run.tpot for run in self.runs])

    @property
    def ttft(self) -> float:
        """Mean of the medians of its runs, seconds."""
        return _mean(self.runs, [run.ttft for run in self.runs])

    @property
    def ttfts(self) -> tuple[float, float]:
        """Least and largest of the medians of its runs, seconds."""
        return min(run.ttft for run in self.runs), max(run.ttft for run in self.runs)


@dataclass(frozen=True)
class Series:
    """Runs that make one curve. points : by rising concurrency"""

    points: tuple[Point, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for point in self.points for run in point.runs)

    @property
    def first(self) -> Run:
        """A run of the lowest concurrency."""
        return self.points[0].runs[0]

    @property
    def inputs(self) -> float | None:
        return self.first.inputs

    @property
    def outputs(self) -> float | None:
        """Mean output tokens of a request, where every run tells."""
        known = [run.outputs for run in self.runs if run.outputs is not None]
        return _mean(self.runs, known) if len(known) == len(self.runs) else None

    def ttft(self, reading: Reading | None) -> list[float] | None:
        """Seconds to the first token at each of several points, less those of reading the prompt where they are known.

        None: there is one point, or less than no time would be left at one.
        """
        read = 0.0 if reading is None or self.inputs is None else self.inputs / reading.speed
        found = [point.ttft - read for point in self.points]
        return found if len(found) > 1 and min(found) >= 0 else None

    def notes(self, reading: Reading | None) -> list[str]:
        """What the user should know of the curve, beyond its numbers."""
        notes = []
        failed = sum(run.failed for run in self.runs)
        if failed:
            notes.append(f"{failed} of {failed + sum(run.requests for run in self.runs)} requests failed; left out")
        first, last = self.points[0], self.points[-1]
        latency = self.first.latency
        if latency and self.first.ttft > _WAITS * latency:
            notes.append(
                f"TTFT, {self.first.ttft:.3g} s, is {self.first.ttft / latency:.0%} of a request at concurrency "
                f"{first.concurrency}, the lowest: requests read long prompts, or waited for their turn; a run with "
                "fewer requests at a time would tell"
            )
        if self.ttft(reading) is None and last.ttft > 2 * first.ttft:
            notes.append(
                f"TTFT rose from {first.ttft:.3g} s at {first.concurrency} to {last.ttft:.3g} s at "
                f"{last.concurrency}; the profile's is the first, so forecasts for many requests are too short by that"
            )
        for one, other in pairwise(self.points):
            if other.tpot < 0.97 * one.tpot:
                notes.append(
                    f"speed rises from {one.concurrency} to {other.concurrency} requests: noise, or other load"
                )
        if latency and self.first.outputs:
            parts = self.first.ttft + self.first.tpot * max(self.first.outputs - 1, 0)
            if not 1 / 1.5 <= parts / latency <= 1.5:
                notes.append(
                    f"at concurrency {first.concurrency} a request took {latency:.3g} s, but TTFT and time per token "
                    f"make {parts:.3g} s: the file contradicts itself"
                )
        return notes


@dataclass(frozen=True)
class Reading:
    """What TTFT at several lengths of prompts tells.

    ttft : seconds of an empty prompt
    speed : tokens/s of prompts
    how : in words
    """

    ttft: float
    speed: float
    how: str


def arranged(runs: Sequence[Run]) -> list[Series]:
    """Series, in the order of their first runs. Every run must have a concurrency."""
    groups: list[list[Run]] = []
    for run in runs:
        for group in groups:
            if _alike(group[0], run):
                group.append(run)
                break
        else:
            groups.append([run])
    return [_series(group) for group in groups]


def readings(series: Sequence[Series]) -> list[Reading | None]:
    """Of each series the prefill speed that all of its server's tell together.

    TTFT is the time of an empty prompt plus tokens over speed: a straight line through the median TTFT of each length
    at the lowest concurrency. None where lengths differ by less than a factor of 2, concurrencies by more than 1.5,
    or the line is not one that can be.
    """
    return [_reading([other for other in series if _same_server(one.first, other.first)]) for one in series]


def _reading(series: Sequence[Series]) -> Reading | None:
    points = [(one.inputs, one.first.ttft) for one in series if one.inputs is not None]
    at = [one.points[0].concurrency for one in series]
    lengths = [length for length, _ in points]
    if len(points) < len(series) or max(lengths) < 2 * min(lengths) or max(at) > 1.5 * min(at):
        return None
    slope, ttft = linear_regression(lengths, [ttft for _, ttft in points])
    if min(measured for _, measured in points) <= 0:
        return None  # a first token that took no time was not measured
    if slope <= 0 or ttft <= 0 or not _READING[0] <= 1 / slope <= _READING[1]:
        return None
    worst = max(abs((ttft + slope * length) / measured - 1) for length, measured in points)
    shown = ", ".join(f"{length:,.0f}" for length in sorted(lengths))
    how = f"line through median TTFT of prompts of {shown} tokens at concurrency {min(at)}"
    how += f", off by at most {worst:.0%}" if len(points) > 2 else ""
    return Reading(ttft, 1 / slope, how)


def _mean(runs: Sequence[Run], values: Sequence[float]) -> float:
    """Mean over the requests of runs."""
    return sum(run.requests * value for run, value in zip(runs, values, strict=True)) / sum(
        run.requests for run in runs
    )


def _series(runs: Sequence[Run]) -> Series:
    at: dict[int, list[Run]] = {}
    for run in runs:
        at.setdefault(run.points_at, []).append(run)
    return Series(tuple(Point(concurrency, tuple(at[concurrency])) for concurrency in sorted(at)))


def _alike(one: Run, other: Run) -> bool:
    return (
        _same_server(one, other)
        and one.load == other.load
        and _near(one.inputs, other.inputs)
        and _near(one.outputs, other.outputs)
    )


def _same_server(one: Run, other: Run) -> bool:
    return (one.format, one.model, one.server) == (other.format, other.model, other.server)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return max(one, other) <= _ALIKE * max(min(one, other), 1)
