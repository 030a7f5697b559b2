"""Runs in, series out. The runs of a series have one model, one server and similar requests, and give one curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression

from planner.catalogue.benchmarks.run import Run

_SIMILAR = 1.5
"""Largest ratio of mean request lengths within a series. With a longer context, output is slower."""

_PLAUSIBLE_PREFILL = (10.0, 1e7)
"""Lowest and highest plausible prefill speed, tokens/s."""

_LONG_TTFT = 0.25
"""If TTFT is more than this share of a request's time, requests may have been queued."""


@dataclass(frozen=True)
class Point:
    """All runs of a profile that have the same concurrency."""

    concurrency: int
    runs: tuple[Run, ...]

    @property
    def tpot(self) -> float:
        """Mean seconds per output token over all runs at this concurrency.

        Runs are weighted by their numbers of requests.
        """
        return _mean(self.runs, [run.tpot for run in self.runs])

    @property
    def ttft(self) -> float:
        """Mean of the runs' median seconds to the first token, at this concurrency.

        Runs are weighted by their numbers of requests.
        """
        return _mean(self.runs, [run.ttft for run in self.runs])

    @property
    def ttfts(self) -> tuple[float, float]:
        """Smallest and largest median seconds to the first token among the runs at this concurrency."""
        return min(run.ttft for run in self.runs), max(run.ttft for run in self.runs)


@dataclass(frozen=True)
class Series:
    """Runs that together give the curves of one profile.

    points : points of the curves, in rising order of concurrency
    """

    points: tuple[Point, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for point in self.points for run in point.runs)

    @property
    def first(self) -> Run:
        """The first run at the lowest concurrency of the series."""
        return self.points[0].runs[0]

    @property
    def inputs(self) -> float | None:
        return self.first.inputs

    @property
    def outputs(self) -> float | None:
        """Mean output tokens of a request in the series. None if any run does not give this mean."""
        outputs = [run.outputs for run in self.runs if run.outputs is not None]
        return _mean(self.runs, outputs) if len(outputs) == len(self.runs) else None

    def ttft(self, fit: PrefillFit | None) -> list[float] | None:
        """Return the seconds to the first token at each concurrency of the series.

        If `fit` is given, the time to read the prompt is subtracted. Return None if there is only one concurrency, or
        if a result is negative.
        """
        prefill = 0.0 if fit is None or self.inputs is None else self.inputs / fit.speed
        seconds = [point.ttft - prefill for point in self.points]
        return seconds if len(seconds) > 1 and min(seconds) >= 0 else None

    def notes(self, fit: PrefillFit | None) -> list[str]:
        """Return notes for the user about the runs of the series."""
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
    """A straight line that gives TTFT by prompt length.

    ttft : seconds for an empty prompt
    speed : prefill speed, in tokens/s
    how : description of the fit
    """

    ttft: float
    speed: float
    how: str


def group_runs(runs: Sequence[Run]) -> list[Series]:
    """Group runs into series, in the order of their first runs. Every run must have a concurrency.

    A series has runs of one model on one server with similar requests.
    """
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
    """Return one fit of TTFT by prompt length for each series. A fit uses all series of the same server.

    The fit is the line `ttft = ttft of an empty prompt + prompt tokens / prefill speed`. Each series gives one point:
    its median TTFT at its lowest concurrency.

    A fit is None in each of these cases:

    - The prompt length of a series is unknown.
    - The prompt lengths differ by less than a factor of 2.
    - The lowest concurrencies of the series differ by more than a factor of 1.5.
    - The line is implausible.
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
    """Return the mean of `values`, weighted by the runs' numbers of requests.

    values : one value for each run
    """
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
