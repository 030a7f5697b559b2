"""Records of single requests in, as written by AIPerf and LLMPerf; one `Run` per file out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean, median, quantiles

from planner.catalogue.benchmarks.fields import Fields
from planner.catalogue.benchmarks.run import Run, check_units

_ENOUGH = 20
"""Fewest requests for which percentiles are given."""

_Z95 = 1.644854


@dataclass(frozen=True)
class _Request:
    """The measurements of one request.

    ttft : seconds to the first token
    tpot : seconds per output token
    latency : seconds of the whole request
    inputs, outputs : numbers of input and output tokens
    """

    ttft: float
    tpot: float
    latency: float | None
    inputs: float | None
    outputs: float | None


def read_aiperf(records: Sequence[Fields]) -> Run | None:
    """Convert AIPerf's records of single requests to one run.

    Cancelled, failed and warm-up requests are left out. If values are missing or invalid, report problems and return
    None.
    """
    requests, clocks, failed, before = list[_Request](), list[tuple[float, float]](), 0, _wrong_values(records)
    for fields in records:
        if fields.full:
            return None
        metadata = fields.data["metadata"]
        if fields.data.get("error") or metadata.get("was_cancelled"):
            failed += 1
        elif metadata.get("benchmark_phase") in (None, "profiling"):
            request = _aiperf_request(fields)
            if request is not None:
                requests.append(request)
            start, end = metadata.get("request_start_ns"), metadata.get("request_end_ns")
            if all(isinstance(time, int) and 0 < time < 10**19 for time in (start, end)) and start < end:
                clocks.append((start / 1e9, end / 1e9))
    if _wrong_values(records) > before or not _any_completed(records, requests):
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
    return run if _wrong_values(records) == before else None


def _aiperf_request(fields: Fields) -> _Request | None:
    ttft, tpot = fields.metric("time_to_first_token", required=True), fields.metric("inter_token_latency")
    latency, inputs = fields.metric("request_latency"), fields.metric("input_sequence_length")
    outputs = fields.metric("output_sequence_length") or fields.metric("output_token_count")
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
    """Convert LLMPerf's records of single requests to one run.

    The concurrency of the run is None, because only LLMPerf's summary has it. If values are missing or invalid, report
    problems and return None.
    """
    requests, failed, before = list[_Request](), 0, _wrong_values(records)
    for fields in records:
        if fields.full:
            return None
        if fields.data.get("error_code") is not None:
            failed += 1
            continue
        ttft, latency = fields.required("ttft_s"), fields.required("end_to_end_latency_s")
        outputs, inputs = fields.required("number_output_tokens"), fields.number("number_input_tokens", zero=True)
        if ttft is None or latency is None or outputs is None or outputs <= 1:
            continue
        if latency <= ttft:
            fields.refuse("'end_to_end_latency_s' must be above 'ttft_s'", "end_to_end_latency_s")
            continue
        requests.append(_Request(ttft, (latency - ttft) / (outputs - 1), latency, inputs, outputs))
    if _wrong_values(records) > before or not _any_completed(records, requests):
        return None
    run = _summarised(records[0], "LLMPerf", requests, failed, None, "")
    check_units(run, "ttft_s", "end_to_end_latency_s")
    return run if _wrong_values(records) == before else None


def _summarised(
    first: Fields, name: str, requests: Sequence[_Request], failed: int, concurrency: float | None, counted: str
) -> Run:
    ttft, tpot = median(request.ttft for request in requests), median(request.tpot for request in requests)
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
        inputs=_mean([request.inputs for request in requests]),
        outputs=_mean([request.outputs for request in requests]),
        concurrency=concurrency,
        counted=counted,
        ttft=ttft,
        tpot=tpot,
        timed=timed,
        jitter=_jitter(requests, ttft, tpot),
        tail=_tail([request.ttft for request in requests]),
        latency=_mean([request.latency for request in requests]),
    )


def _jitter(requests: Sequence[_Request], ttft: float, tpot: float) -> float | None:
    """Return the spread of request times: the standard deviation of `log(actual time / predicted time)`.

    The predicted time is computed from the medians `ttft` and `tpot`. Return None if there are too few requests.
    """
    ratios = [
        request.latency / (ttft + tpot * max(request.outputs - 1, 0))
        for request in requests
        if request.latency is not None and request.outputs is not None
    ]
    if len(ratios) < _ENOUGH:
        return None
    return max(0.0, math.log(quantiles(ratios, n=20, method="inclusive")[18] / median(ratios)) / _Z95)


def _tail(times: Sequence[float]) -> str:
    """Describe the 95th percentile of `times`, in seconds. Return an empty text if there are too few times."""
    if len(times) < _ENOUGH:
        return ""
    return f"p95 over requests {quantiles(times, n=20, method='inclusive')[18]:.4g} s"


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fmean(present) if present else None


def _any_completed(records: Sequence[Fields], requests: Sequence[_Request]) -> bool:
    """Return whether any request was completed. If no request was completed, report a problem."""
    if not requests:
        hint = "is the server up? run the benchmark again"
        records[0].refuse("no request was completed with at least two output tokens", hint=hint)
    return bool(requests)


def _wrong_values(records: Sequence[Fields]) -> int:
    return sum(fields.wrong for fields in records)


def day_of(seconds: float | None) -> str | None:
    """Convert seconds since 1970 to a date such as `2025-05-30`. Return None if `seconds` is None or implausible."""
    if seconds is None or not 1e9 < seconds < 4e9:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
