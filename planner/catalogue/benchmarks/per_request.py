"""Records of single requests in, as AIPerf and LLMPerf write them. One `Run` a file out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean, median, quantiles

from planner.catalogue.benchmarks.fields import Fields
from planner.catalogue.benchmarks.run import Run, check_units

_ENOUGH = 20
"""Requests from which a spread is told."""

_Z95 = 1.644854


@dataclass(frozen=True)
class _Request:
    """Seconds and tokens of one request."""

    ttft: float
    tpot: float
    latency: float | None
    inputs: float | None
    outputs: float | None


def read_aiperf(records: Sequence[Fields]) -> Run | None:
    """The run whose requests are these records; cancelled ones, errors and those of a warm-up do not count."""
    requests, clocks, failed, before = list[_Request](), list[tuple[float, float]](), 0, _wrong(records)
    for fields in records:
        if fields.hopeless:
            return None
        metadata = fields.data["metadata"]
        if fields.data.get("error") or metadata.get("was_cancelled"):
            failed += 1
        elif metadata.get("benchmark_phase") in (None, "profiling"):
            request = _aiperf_request(fields)
            if request is not None:
                requests.append(request)
            start, end = metadata.get("request_start_ns"), metadata.get("request_end_ns")
            if all(isinstance(one, int) and 0 < one < 10**19 for one in (start, end)) and start < end:
                clocks.append((start / 1e9, end / 1e9))
    if _wrong(records) > before or not _any(records, requests):
        return None
    concurrency, duration = None, None
    if len(clocks) == len(requests):
        duration = max(end for _, end in clocks) - min(start for start, _ in clocks)
        concurrency = max(1.0, sum(end - start for start, end in clocks) / duration) if duration > 0 else 1.0
    run = _summarised(
        records[0],
        "AIPerf",
        requests,
        failed,
        concurrency,
        "measured mean: seconds of all requests / seconds of the run",
    )
    started = min((start for start, _ in clocks), default=None)
    run = Run(**{**vars(run), "date": day_of(started), "duration": duration})
    check_units(run, "time_to_first_token", "inter_token_latency")
    return run if _wrong(records) == before else None


def _aiperf_request(fields: Fields) -> _Request | None:
    ttft, tpot = fields.measured("time_to_first_token", needed=True), fields.measured("inter_token_latency")
    latency, inputs = fields.measured("request_latency"), fields.measured("input_sequence_length")
    outputs = fields.measured("output_sequence_length") or fields.measured("output_token_count")
    if ttft is None:
        return None
    if tpot is None:
        if outputs == 1:
            return None
        if latency is None or outputs is None or latency <= ttft:
            fields.refuse("the metric 'inter_token_latency' is missing", "metrics", code="missing-key")
            return None
        tpot = (latency - ttft) / (outputs - 1)
    return _Request(ttft, tpot, latency, inputs, outputs)


def read_llmperf_requests(records: Sequence[Fields]) -> Run | None:
    """The run whose requests are these records; its concurrency stands in the summary beside them."""
    requests, failed, before = list[_Request](), 0, _wrong(records)
    for fields in records:
        if fields.hopeless:
            return None
        if fields.data.get("error_code") is not None:
            failed += 1
            continue
        ttft, latency = fields.needed("ttft_s"), fields.needed("end_to_end_latency_s")
        outputs, inputs = fields.needed("number_output_tokens"), fields.number("number_input_tokens", zero=True)
        if ttft is None or latency is None or outputs is None or outputs <= 1:
            continue
        if latency <= ttft:
            fields.refuse("'end_to_end_latency_s' must be above 'ttft_s'", "end_to_end_latency_s")
            continue
        requests.append(_Request(ttft, (latency - ttft) / (outputs - 1), latency, inputs, outputs))
    if _wrong(records) > before or not _any(records, requests):
        return None
    run = _summarised(records[0], "LLMPerf", requests, failed, None, "")
    check_units(run, "ttft_s", "end_to_end_latency_s")
    return run if _wrong(records) == before else None


def _summarised(
    first: Fields, name: str, requests: Sequence[_Request], failed: int, concurrency: float | None, counted: str
) -> Run:
    ttft, tpot = median(one.ttft for one in requests), median(one.tpot for one in requests)
    if name == "AIPerf":
        timed = "1 / median of inter_token_latency over requests"
    else:
        timed = "1 / median over requests of (end_to_end_latency_s − ttft_s) / (tokens − 1)"
    return Run(
        format=name,
        fields=first,
        model=None,
        server=(),
        load=(),
        date=None,
        requests=len(requests),
        failed=failed,
        inputs=_mean([one.inputs for one in requests]),
        outputs=_mean([one.outputs for one in requests]),
        concurrency=concurrency,
        counted=counted,
        ttft=ttft,
        tpot=tpot,
        timed=timed,
        jitter=_jitter(requests, ttft, tpot),
        tail=_tail([one.ttft for one in requests]),
        latency=_mean([one.latency for one in requests]),
    )


def _jitter(requests: Sequence[_Request], ttft: float, tpot: float) -> float | None:
    """The log-sd of requests' times about those that the medians give them, from the median and 95th percentile."""
    ratios = [
        one.latency / (ttft + tpot * max(one.outputs - 1, 0))
        for one in requests
        if one.latency is not None and one.outputs is not None
    ]
    if len(ratios) < _ENOUGH:
        return None
    return max(0.0, math.log(quantiles(ratios, n=20, method="inclusive")[18] / median(ratios)) / _Z95)


def _tail(times: Sequence[float]) -> str:
    """The 95th percentile in words, of enough requests."""
    if len(times) < _ENOUGH:
        return ""
    return f"p95 over requests {quantiles(times, n=20, method='inclusive')[18]:.4g} s"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _any(records: Sequence[Fields], requests: Sequence[_Request]) -> bool:
    """Whether any request counts; if not, complain."""
    if not requests:
        hint = "is the server up? run the benchmark again"
        records[0].refuse("no request was completed with two output tokens or more", hint=hint)
    return bool(requests)


def _wrong(records: Sequence[Fields]) -> int:
    return sum(fields.wrong for fields in records)


def day_of(seconds: float | None) -> str | None:
    """`2025-05-30` of seconds since 1970, if that is a date of our time."""
    if seconds is None or not 1e9 < seconds < 4e9:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
