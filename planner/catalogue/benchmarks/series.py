"""Runs in, series out. The runs of a series have one model, one server and similar requests, and give one curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression

from planner.catalogue.benchmarks.run import Run

_SIMILAR = 1.5
"""Largest ratio of mean request lengths within a series: a longer context decodes more slowly."""

_PLAUSIBLE_PREFILL = (10.0, 1e7)
"""Lowest and highest plausible prefill speed, tokens/s."""

_LONG_TTFT = 0.25
"""Share of TTFT in a request's time above which requests may have been queued."""


@dataclass(frozen=True)
class Point:
    """The runs at one concurrency."""

    concurrency: int
    runs: tuple[Run, ...]

    @property
    def tpot(self) -> float:
        """Seconds per output token, mean over requests."""
        return _mean(self.runs, [run.tpot for run in self.runs])

    @property
    def ttft(self) -> float:
        """Seconds to the first token: mean of the runs' medians."""
        return _mean(self.runs, [run.ttft for run in self.runs])

    @property
    def ttfts(self) -> tuple[float, float]:
        """Smallest and largest of the runs' median seconds to the first token."""
        return min(run.ttft for run in self.runs), max(run.ttft for run in self.runs)


@dataclass(frozen=True)
class Series:
    """Runs that give one curve. The `points` are in the order of rising concurrency."""

    points: tuple[Point, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for point in self.points for run in point.runs)

    @property
    def first(self) -> Run:
        """The first of the runs at the lowest concurrency."""
        return self.points[0].runs[0]

    @property
    def inputs(self) -> float | None:
        return self.first.inputs

    @property
    def outputs(self) -> float | None:
        """Mean output tokens of a request; None if a run does not give them."""
        outputs = [run.outputs for run in self.runs if run.outputs is not None]
        return _mean(self.runs, outputs) if len(outputs) == len(self.runs) else None

    def ttft(self, fit: PrefillFit | None) -> list[float] | None:
        """Return seconds to the first token at each point, without the prefill time if there is a fit.

        Returns None if there is a single point, or a result is negative.
        """
        prefill = 0.0 if fit is None or self.inputs is None else self.inputs / fit.speed
        seconds = [point.ttft - prefill for point in self.points]
        return seconds if len(seconds) > 1 and min(seconds) >= 0 else None

    def notes(self, fit: PrefillFit | None) -> list[str]:
        """Return what the user should know about the curve."""
        notes = []
        failed = sum(run.failed for run in self.runs)
        if failed:
            notes.append(f"{failed} of {failed + sum(run.requests for run in self.runs)} requests failed; left out")
        first, last = self.points[0], self.points[-1]
        latency = self.first.latency
        if latency and self.first.ttft > _LONG_TTFT * latency:
            notes.append(
                f"TTFT, {self.first.ttft:.3g} s, is {self.first.ttft / latency:.0%} of a request at concurrency "
                f"{first.concurrency}, the lowest: requests read long prompts, or waited for their turn; a run with "
                "fewer requests at a time would tell"
            )
        if self.ttft(fit) is None and last.ttft > 2 * first.ttft:
            notes.append(
                f"TTFT rose from {first.ttft:.3g} s at {first.concurrency} to {last.ttft:.3g} s at "
                f"{last.concurrency}; the profile's is the first, so forecasts for many requests are too short by that"
            )
        for lower, higher in pairwise(self.points):
            if higher.tpot < 0.97 * lower.tpot:
                notes.append(
                    f"speed rises from {lower.concurrency} to {higher.concurrency} requests: noise, or other load"
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
class PrefillFit:
    """A straight line through TTFT at several prompt lengths.

    ttft : seconds for an empty prompt
    speed : prefill speed, tokens/s
    how : description of the fit
    """

    ttft: float
    speed: float
    how: str


def group_runs(runs: Sequence[Run]) -> list[Series]:
    """Group runs into series, in the order of their first runs. Every run must have a concurrency."""
    groups: list[list[Run]] = []
    for run in runs:
        for group in groups:
            if _similar(group[0], run):
                group.append(run)
                break
        else:
            groups.append([run])
    return [_series(group) for group in groups]


def prefill_fits(series: Sequence[Series]) -> list[PrefillFit | None]:
    """Return, for each series, the prefill speed fitted to all series of the same server.

    The TTFT of a prompt is the TTFT of an empty prompt plus tokens divided by speed. The fit is a straight line through
    the median TTFT of each prompt length at the lowest concurrency. There is no fit (None) if lengths differ by less
    than a factor of 2, concurrencies differ by more than a factor of 1.5, or the line is implausible.
    """
    return [_prefill_fit([other for other in series if _same_server(curve.first, other.first)]) for curve in series]


def _prefill_fit(series: Sequence[Series]) -> PrefillFit | None:
    points = [(curve.inputs, curve.first.ttft) for curve in series if curve.inputs is not None]
    concurrencies = [curve.points[0].concurrency for curve in series]
    lengths = [length for length, _ in points]
    if len(points) < len(series) or max(lengths) < 2 * min(lengths) or max(concurrencies) > 1.5 * min(concurrencies):
        return None
    slope, ttft = linear_regression(lengths, [ttft for _, ttft in points])
    if min(measured for _, measured in points) <= 0:
        return None  # TTFT was not measured
    if slope <= 0 or ttft <= 0 or not _PLAUSIBLE_PREFILL[0] <= 1 / slope <= _PLAUSIBLE_PREFILL[1]:
        return None
    worst = max(abs((ttft + slope * length) / measured - 1) for length, measured in points)
    listed = ", ".join(f"{length:,.0f}" for length in sorted(lengths))
    how = f"line through median TTFT of prompts of {listed} tokens at concurrency {min(concurrencies)}"
    how += f", off by at most {worst:.0%}" if len(points) > 2 else ""
    return PrefillFit(ttft, 1 / slope, how)


def _mean(runs: Sequence[Run], values: Sequence[float]) -> float:
    """Mean of the runs' values, weighted by their numbers of requests."""
    return sum(run.requests * value for run, value in zip(runs, values, strict=True)) / sum(
        run.requests for run in runs
    )


def _series(runs: Sequence[Run]) -> Series:
    by_concurrency: dict[int, list[Run]] = {}
    for run in runs:
        by_concurrency.setdefault(run.rounded_concurrency, []).append(run)
    return Series(tuple(Point(concurrency, tuple(group)) for concurrency, group in sorted(by_concurrency.items())))


def _similar(run: Run, other: Run) -> bool:
    return (
        _same_server(run, other)
        and run.load == other.load
        and _near(run.inputs, other.inputs)
        and _near(run.outputs, other.outputs)
    )


def _same_server(run: Run, other: Run) -> bool:
    return (run.format, run.model, run.server) == (other.format, other.model, other.server)


def _near(length: float | None, other: float | None) -> bool:
    if length is None or other is None:
        return length is other
    return max(length, other) <= _SIMILAR * max(min(length, other), 1)
