"""Read runs from summaries of LLMPerf, and merge them with the runs that were read from single requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from planner.catalogue.benchmarks.fields import Fields
from planner.catalogue.benchmarks.per_request import day_of
from planner.catalogue.benchmarks.run import (
    Run,
    check_units,
    high_percentile,
    log_sd,
)

FORMAT = "LLMPerf"
_KIND = re.compile(r"_(individual_responses|individual|summary)$")
_TTFT, _LATENCY, _GAP = "results_ttft_s", "results_end_to_end_latency_s", "results_inter_token_latency_s"


def is_summary(fields: Fields) -> bool:
    """Return whether a record is a summary of a run by LLMPerf."""
    return "num_concurrent_requests" in fields.data or any(key.startswith("results_ttft_s") for key in fields.data)


def is_request(fields: Fields) -> bool:
    """Return whether a record is a single request of LLMPerf."""
    return bool(fields.data.keys() & {"ttft_s", "inter_token_latency_s", "end_to_end_latency_s"})


def read_summary(fields: Fields) -> Run | None:
    """Convert a summary of LLMPerf to a run. If values are missing or invalid, report problems and return None.

    The time per token is computed from mean latency and mean TTFT, because LLMPerf's inter-token latency includes TTFT.
    """
    before = fields.wrong
    concurrency = fields.required("num_concurrent_requests")
    ttft, mean_ttft = fields.required(f"{_TTFT}_quantiles_p50", f"{_TTFT}_mean"), fields.required(f"{_TTFT}_mean")
    latency = fields.required(f"{_LATENCY}_mean")
    outputs = fields.required("results_number_output_tokens_mean")
    inputs = fields.number("results_number_input_tokens_mean", "mean_input_tokens", zero=True)
    completed = fields.number("results_num_completed_requests", zero=True)
    jitter = log_sd(fields, f"{_GAP}_quantiles_p50", f"{_GAP}_quantiles_p{{}}")
    high = high_percentile(fields, f"{_TTFT}_quantiles_p{{}}")
    per_minute = fields.number("results_num_completed_requests_per_min", zero=True)
    started = fields.number("timestamp")
    if fields.wrong > before or not (concurrency and ttft and mean_ttft and latency and outputs):
        return None
    if outputs <= 1.5 or latency <= mean_ttft:
        key = "results_number_output_tokens_mean" if outputs <= 1.5 else f"{_LATENCY}_mean"
        fields.refuse(f"'{key}' leaves no time between tokens", key, hint="run the benchmark with more output tokens")
        return None
    run = Run(
        format=FORMAT,
        fields=fields,
        model=fields.text("model"),
        server=tuple((key, text) for key in ("framework", "api") if (text := fields.text(key)) is not None),
        load=(),
        date=day_of(started),
        requests=max(1, int(completed or 1)),
        failed=int(fields.number("results_number_errors", zero=True) or 0),
        inputs=inputs,
        outputs=outputs,
        concurrency=concurrency,
        counted="'num_concurrent_requests'",
        ttft=ttft,
        tpot=(latency - mean_ttft) / (outputs - 1),
        timed=f"(mean output tokens − 1) / ({_LATENCY}_mean − {_TTFT}_mean)",
        jitter=jitter,
        tail=high,
        latency=latency,
        duration=completed / per_minute * 60 if completed and per_minute else None,
    )
    check_units(run, f"{_TTFT}_mean", f"{_LATENCY}_mean")
    return run if fields.wrong == before else None


def is_from_requests(run: Run) -> bool:
    """Return whether a run was read from LLMPerf's records of single requests, instead of its summary."""
    return run.format == FORMAT and is_request(run.fields)


def join_requests(runs: Sequence[Run]) -> list[Run]:
    """Merge the two runs of each benchmark by LLMPerf into one run.

    LLMPerf writes two files for a benchmark: its summary, and the records of its single requests. The two files have
    the same `stem`. Runs without a second file stay unchanged.
    """
    summaries = {stem(run.file): run for run in runs if run.format == FORMAT and not is_from_requests(run)}
    merged: list[Run] = []
    detailed = {stem(run.file) for run in runs if is_from_requests(run)}
    for run in runs:
        if is_from_requests(run) and stem(run.file) in summaries:
            summary = summaries[stem(run.file)]
            run = replace(
                run, model=summary.model, server=summary.server, date=summary.date,
                failed=max(run.failed, summary.failed), concurrency=summary.concurrency,
                counted=f"{summary.counted} of {Path(summary.file).name}", duration=summary.duration,
            )  # fmt: skip
        elif run.format == FORMAT and not is_from_requests(run) and stem(run.file) in detailed:
            continue
        merged.append(run)
    return merged


def stem(file: str) -> str:
    """Return the path of a result file without the ending that LLMPerf adds, such as `_summary.json`."""
    path = Path(file)
    return str(path.with_name(_KIND.sub("", path.stem) or "_"))
