"""What one run of a benchmark measured, the same of every format; and whether its units can be right."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from planner.catalogue.benchmarks.fields import Fields
from planner.reading.estimates.curves import MOST_REQUESTS

_Z = {90: 1.281552, 95: 1.644854, 99: 2.326348}
"""Standard normal quantiles of percentages."""

SLOWEST, FASTEST = 0.1, 10_000.0
"""Tokens/s of one request outside which units must be mixed up."""

_MIXED_UP = 20.0
"""Two ways to one number that differ by this factor have different units; milliseconds and seconds differ by 1000."""


@dataclass(frozen=True)
class Run:
    """One run, in seconds and tokens.

    server : what the file says of what served the model, by key
    load : what the file says of the requests: data set, and nominal lengths if there are any
    requests : completed ones
    failed : those that did not complete
    inputs, outputs : mean tokens of a request, if known
    concurrency : requests in flight; None: the file does not tell
    counted : how the concurrency is known, in words
    ttft : median; it includes reading the prompt
    tpot : of one request, seconds per output token after the first
    timed : how `tpot` is known, in words
    jitter : log-sd over requests of the time per token, if known
    tail : a high percentile over requests of the time to the first token, in words
    latency : mean seconds of a request, if known
    duration : seconds of the run, if known
    """

    format: str
    fields: Fields
    model: str | None
    server: tuple[tuple[str, str], ...]
    load: tuple[tuple[str, str], ...]
    date: str | None
    requests: int
    failed: int
    inputs: float | None
    outputs: float | None
    concurrency: float | None
    counted: str
    ttft: float
    tpot: float
    timed: str
    jitter: float | None = None
    tail: str = ""
    latency: float | None = None
    duration: float | None = None

    @property
    def points_at(self) -> int:
        """The concurrency as a whole number."""
        return max(1, round(self.concurrency or 1.0))

    @property
    def file(self) -> str:
        return self.fields.record.source.file

    def given(self, concurrency: int) -> Run:
        """The same, where the user says at how many requests at a time it was run."""
        return replace(self, concurrency=float(concurrency), counted="given with --concurrency")


def spread(fields: Fields, median: str, percentile: str, scale: float = 1.0) -> float | None:
    """The log-sd of a lognormal from its median and the 95th, else 99th, else 90th percentile.

    percentile : its key, with `{}` for the percentage
    """
    for percent in (95, 99, 90):
        key = percentile.format(percent)
        if fields.given(median) and fields.given(key):
            middle, high = fields.number(median, scale=scale), fields.number(key, scale=scale)
            if middle and high and high >= middle:
                return math.log(high / middle) / _Z[percent]
            return None
    return None


def tail(fields: Fields, percentile: str, scale: float = 1.0) -> str:
    """The 95th, else 99th, else 90th percentile of a time in words, or nothing. percentile : as in `spread`"""
    for percent in (95, 99, 90):
        value = fields.number(percentile.format(percent), scale=scale)
        if value is not None:
            return f"p{percent} over requests {value:.4g} s"
    return ""


def check_units(run: Run, key_of_ttft: str, key_of_tpot: str) -> None:
    """Complain about a run whose numbers contradict each other by so much that a unit must be wrong."""
    fields = run.fields
    unit = "times with their units" if run.format == "AIPerf" else "seconds"
    unit = "milliseconds" if key_of_ttft.endswith("_ms") else unit
    hint = f"{run.format} gives {unit} here; is a unit mixed up?"
    speed = 1 / run.tpot
    if not SLOWEST <= speed <= FASTEST:
        shown = f"{run.tpot * 1000:.4g} ms per output token are {speed:.4g} tokens/s for one request"
        fields.refuse(f"{shown}, which is implausible", key_of_tpot, hint=hint)
        return
    if run.duration is not None and run.ttft > 1.05 * run.duration:
        message = f"the time to first token, {run.ttft:.4g} s, is longer than the run, {run.duration:.4g} s"
        fields.refuse(message, key_of_ttft, hint=hint)
        return
    if run.duration is not None and run.latency is not None and run.latency > 2 * run.duration:
        message = f"a request takes {run.latency:.4g} s, longer than the run, {run.duration:.4g} s"
        fields.refuse(message, key_of_tpot, hint=hint)
        return
    if run.outputs is not None and run.latency is not None:
        decoding, rest = run.tpot * max(run.outputs - 1, 1), run.latency
        if decoding > _MIXED_UP * rest or run.ttft > _MIXED_UP * rest:
            message = f"its parts take {run.ttft + decoding:.4g} s, but a request takes {rest:.4g} s"
            fields.refuse(message, key_of_tpot if decoding > run.ttft else key_of_ttft, hint=hint)
            return
        if rest > _MIXED_UP * (run.ttft + decoding):
            message = f"a request takes {rest:.4g} s, but its parts only {run.ttft + decoding:.4g} s"
            fields.refuse(message, key_of_tpot, hint=hint)
            return
    _check_count(run, key_of_tpot, hint)


def _check_count(run: Run, key_of_tpot: str, hint: str) -> None:
    """By Little's law as many requests are in flight as come in while one takes place."""
    fields = run.fields
    if run.concurrency is not None and run.concurrency > MOST_REQUESTS:
        fields.refuse(f"{run.concurrency:,.0f} concurrent requests are implausible", "max_concurrency", hint=hint)
    elif run.concurrency is not None and run.duration is not None and run.outputs is not None:
        taken = run.ttft + run.tpot * max(run.outputs - 1, 0)
        meant = run.requests / run.duration * taken
        if meant > _MIXED_UP * max(run.concurrency, 1):
            message = (
                f"{run.requests:,} requests of {taken:.4g} s each in {run.duration:.4g} s are {meant:,.0f} at a time, "
                f"not {run.concurrency:.4g}"
            )
            fields.refuse(message, key_of_tpot, hint=hint)
        elif run.concurrency > _MIXED_UP * max(meant, 1 / _MIXED_UP) and run.requests > 2 * run.concurrency:
            message = (
                f"{run.requests:,} requests of {taken:.4g} s each in {run.duration:.4g} s are {meant:.4g} at a time, "
                f"not {run.concurrency:.4g}"
            )
            fields.refuse(message, key_of_tpot, hint=hint)
