"""The measurements of one benchmark run, common to all formats, and checks of their units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from planner.catalogue.benchmarks.fields import Fields
from planner.reading.estimates.curves import MOST_REQUESTS

_Z = {90: 1.281552, 95: 1.644854, 99: 2.326348}
"""Percentage → quantile of the standard normal distribution."""

SLOWEST, FASTEST = 0.1, 10_000.0
"""Lowest and highest plausible tokens/s of one request. Outside of these bounds, a unit must be wrong."""

_WRONG_UNIT = 20.0
"""If two ways to compute a number differ by more than this factor, a unit is wrong. Milliseconds and seconds differ by
1000."""


@dataclass(frozen=True)
class Run:
    """The measurements of one benchmark run. None means that the file does not give a value.

    server : description of the server, by key
    load : description of the requests: data set and nominal lengths
    requests : number of completed requests
    failed : number of failed requests
    inputs : mean input tokens of a request
    outputs : mean output tokens of a request
    concurrency : number of concurrent requests
    counted : source of `concurrency`, in words
    ttft : median seconds to the first token, including the time to read the prompt
    tpot : seconds per output token of one request, without the first token
    timed : source of `tpot`, in words
    jitter : spread of the time per token over requests: the standard deviation of its logarithm
    tail : a high percentile of TTFT over requests, in words
    latency : mean seconds of a request
    duration : seconds of the run
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
    def rounded_concurrency(self) -> int:
        """Concurrency of the run as a whole number, at least 1."""
        return max(1, round(self.concurrency or 1.0))

    @property
    def file(self) -> str:
        return self.fields.record.source.file

    def with_concurrency(self, concurrency: int) -> Run:
        """Return the run with the concurrency that the user gave."""
        return replace(self, concurrency=float(concurrency), counted="given with --concurrency")


def log_sd(fields: Fields, median: str, percentile: str, scale: float = 1.0) -> float | None:
    """Return the standard deviation of the logarithm of a quantity with a lognormal distribution.

    It is computed from the median and one percentile: the 95th, or else the 99th, or else the 90th. Return None if the
    median or all three percentiles are missing.

    median : key of the median
    percentile : key of a percentile, with `{}` instead of the percentage
    """
    for percent in (95, 99, 90):
        key = percentile.format(percent)
        if fields.first_present(median) and fields.first_present(key):
            middle, high = fields.number(median, scale=scale), fields.number(key, scale=scale)
            if middle and high and high >= middle:
                return math.log(high / middle) / _Z[percent]
            return None
    return None


def high_percentile(fields: Fields, percentile: str, scale: float = 1.0) -> str:
    """Describe a high percentile of a time in seconds. Return an empty text if no percentile is given.

    The percentile is the 95th, or else the 99th, or else the 90th.

    percentile : key of a percentile, with `{}` instead of the percentage
    scale : seconds per unit of the value
    """
    for percent in (95, 99, 90):
        value = fields.number(percentile.format(percent), scale=scale)
        if value is not None:
            return f"p{percent} over requests {value:.4g} s"
    return ""


def check_units(run: Run, key_of_ttft: str, key_of_tpot: str) -> None:
    """Report a run if its numbers contradict each other, for example because a unit is wrong.

    key_of_ttft, key_of_tpot : keys to name in reports
    """
    fields = run.fields
    unit = "times with their units" if run.format == "AIPerf" else "seconds"
    unit = "milliseconds" if key_of_ttft.endswith("_ms") else unit
    hint = f"{run.format} gives {unit} here; is a unit wrong?"
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
        decoding, latency = run.tpot * max(run.outputs - 1, 1), run.latency
        if decoding > _WRONG_UNIT * latency or run.ttft > _WRONG_UNIT * latency:
            message = f"TTFT and output take {run.ttft + decoding:.4g} s together, but a request takes {latency:.4g} s"
            fields.refuse(message, key_of_tpot if decoding > run.ttft else key_of_ttft, hint=hint)
            return
        if latency > _WRONG_UNIT * (run.ttft + decoding):
            message = (
                f"a request takes {latency:.4g} s, but TTFT and output take only {run.ttft + decoding:.4g} s together"
            )
            fields.refuse(message, key_of_tpot, hint=hint)
            return
    _check_count(run, key_of_tpot, hint)


def _check_count(run: Run, key_of_tpot: str, hint: str) -> None:
    """Report a run if its concurrency contradicts Little's law.

    By this law, `concurrency = requests per second * seconds per request`.
    """
    fields = run.fields
    if run.concurrency is not None and run.concurrency > MOST_REQUESTS:
        fields.refuse(f"{run.concurrency:,.0f} concurrent requests are implausible", "max_concurrency", hint=hint)
    elif run.concurrency is not None and run.duration is not None and run.outputs is not None:
        each = run.ttft + run.tpot * max(run.outputs - 1, 0)
        in_flight = run.requests / run.duration * each
        too_many = in_flight > _WRONG_UNIT * max(run.concurrency, 1)
        too_few = run.concurrency > _WRONG_UNIT * max(in_flight, 1 / _WRONG_UNIT) and run.requests > 2 * run.concurrency
        if too_many or too_few:
            at_a_time = f"{in_flight:,.0f}" if too_many else f"{in_flight:.4g}"
            message = (
                f"{run.requests:,} requests of {each:.4g} s each in {run.duration:.4g} s mean {at_a_time} concurrent "
                f"requests, not {run.concurrency:.4g}"
            )
            fields.refuse(message, key_of_tpot, hint=hint)
