"""Read a `Run` from a record of totals, as written by vLLM bench, SGLang and InferenceX."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from planner.catalogue.benchmarks.fields import Fields
from planner.catalogue.benchmarks.run import (
    Run,
    check_units,
    high_percentile,
    log_sd,
)

SERVER = (
    "backend", "framework", "engine", "gpu", "hw", "hardware", "deployment", "gateway", "precision", "tp", "ep",
    "dp_attention", "tensor_parallel_size", "prefill_replicas", "decode_replicas",
)  # fmt: skip
"""Keys that distinguish servers of one model."""

_DATE = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)(?:\D.*)?")
_STREAM = "run the benchmark with streaming: otherwise the time to the first token is not measured"
_REMEDY = "run the benchmark with --max-concurrency N; or give the number here, with --concurrency N"


@dataclass(frozen=True)
class Style:
    """Names and unit of the times in a result format.

    For example, one format has `median_ttft_ms` in milliseconds. Another format has `median_ttft` in seconds.

    format : name of the format
    ending : end of the names of times, such as `_ms`
    scale : seconds per unit
    """

    format: str
    ending: str
    scale: float


def totals_style(fields: Fields) -> Style | None:
    """Return the format of a record that describes a whole run. Return None for any other record."""
    keys = fields.data.keys()
    if any(key.endswith("_ttft_ms") for key in keys):
        sglang = {"sharegpt_output_len", "random_input_len", "total_output_tokens_retokenized", "accept_length"}
        is_sglang = str(fields.data.get("backend")).startswith("sglang")
        return Style("SGLang" if is_sglang or keys & sglang else "vLLM bench", "_ms", 1e-3)
    if keys & {"median_ttft", "mean_ttft"} and keys & {"median_tpot", "mean_tpot", "median_itl"}:
        return Style("InferenceX", "", 1.0)
    return None


def read_totals(fields: Fields, style: Style) -> Run | None:
    """Convert a record that describes a whole run to a `Run`.

    If values are missing or invalid, report problems and return None.
    """
    end, scale = style.ending, style.scale
    before = fields.wrong
    if fields.data.get("completed") == 0:
        fields.refuse("no request was completed", "completed", hint="is the server up? run the benchmark again")
        return None
    completed = fields.number("completed", "num_prompts")
    duration = fields.number("duration")
    inputs, outputs = _mean(fields, "input", completed), _mean(fields, "output", completed)
    ttft = fields.required(f"median_ttft{end}", f"mean_ttft{end}", scale=scale, hint=_STREAM)
    mean_ttft = fields.number(f"mean_ttft{end}", scale=scale)
    latency = fields.number(f"mean_e2e_latency{end}", f"mean_e2el{end}", scale=scale)
    tpot, timed, key = _time_per_token(fields, style, mean_ttft or ttft, latency, outputs)
    jitter = log_sd(fields, f"median_tpot{end}", f"p{{}}_tpot{end}")
    high = high_percentile(fields, f"p{{}}_ttft{end}", scale)
    if fields.wrong > before or ttft is None or tpot is None:
        return None
    how = "mean end-to-end latency"
    if latency is None:
        latency, how = _mean_latency(fields, style, mean_ttft, ttft, tpot, outputs)
    concurrency, counted = _concurrency(fields, completed, duration, latency, how)
    if fields.wrong > before:
        return None
    prompts = fields.number("num_prompts", zero=True) or 0.0
    run = Run(
        format=style.format,
        fields=fields,
        model=fields.text("model_id", "model", "model_name"),
        server=tuple((name, text) for name in SERVER if (text := fields.text(name)) is not None),
        load=_requests(fields),
        date=date_of(fields.text("date", "timestamp")),
        requests=max(1, int(completed or 1)),
        failed=max(0, int(prompts - (completed or prompts))),
        inputs=inputs,
        outputs=outputs,
        concurrency=concurrency,
        counted=counted,
        ttft=ttft,
        tpot=tpot,
        timed=timed,
        jitter=jitter,
        tail=high,
        latency=latency,
        duration=duration,
    )
    check_units(run, fields.first_present(f"median_ttft{end}") or f"mean_ttft{end}", key)
    return run if fields.wrong == before else None


def _mean(fields: Fields, kind: str, completed: float | None) -> float | None:
    """Return the mean number of input or output tokens of a request.

    If the measured mean is missing, return the nominal length. Return None if neither is given.

    kind : ``input`` or ``output``
    completed : number of completed requests
    """
    total = fields.number(f"total_{kind}_tokens", zero=True)
    if total and completed:
        return total / completed
    return fields.number("isl" if kind == "input" else "osl", f"{kind}_len", f"random_{kind}_len")


def _time_per_token(
    fields: Fields, style: Style, ttft: float | None, latency: float | None, outputs: float | None
) -> tuple[float | None, str, str]:
    """Return the seconds per output token of one request, their source in words, and the key of the source.

    The inter-token latency is the last choice, because it excludes pauses in which the server reads other prompts.

    ttft : seconds to the first token
    latency : seconds of a request
    outputs : mean output tokens of a request
    """
    end, scale = style.ending, style.scale
    for key in (f"median_tpot{end}", f"mean_tpot{end}"):
        if fields.first_present(key):
            return fields.number(key, scale=scale), f"1 / {key}", key
    if latency is not None and ttft is not None and outputs is not None and outputs > 1.5 and latency > ttft:
        key = fields.first_present(f"mean_e2e_latency{end}", f"mean_e2el{end}") or ""
        source = "mean" if fields.first_present(f"mean_ttft{end}") else "median"
        formula = f"(mean output tokens − 1) / ({key} − {source}_ttft{end})"
        return (latency - ttft) / (outputs - 1), formula, key
    for key in (f"mean_itl{end}", f"median_itl{end}"):
        if fields.first_present(key):
            return fields.number(key, scale=scale), f"1 / {key}", key
    keys = (f"median_tpot{end}", f"mean_tpot{end}", f"mean_itl{end}", f"median_itl{end}")
    if latency is not None or not fields.first_present(f"mean_e2e_latency{end}", f"mean_e2el{end}"):
        fields.missing(*keys, hint="run the benchmark with streaming: otherwise the output speed is not measured")
    return None, "", keys[0]


def _mean_latency(
    fields: Fields, style: Style, mean_ttft: float | None, ttft: float, tpot: float, outputs: float | None
) -> tuple[float | None, str]:
    """Estimate the mean seconds of a request. Also return the method of the estimate, in words.

    This function is for files that do not give the mean.
    """
    end, scale = style.ending, style.scale
    if outputs is not None:
        gap = fields.number(f"mean_itl{end}", f"mean_tpot{end}", scale=scale)
        if mean_ttft is not None and gap is not None:
            return mean_ttft + gap * max(outputs - 1, 0), "mean TTFT + mean time per token × tokens"
    median = fields.number(f"median_e2e_latency{end}", f"median_e2el{end}", scale=scale)
    if median is not None:
        return median, "median end-to-end latency"
    return (ttft + tpot * max(outputs - 1, 0), "TTFT + time per token × tokens") if outputs is not None else (None, "")


def _concurrency(
    fields: Fields, completed: float | None, duration: float | None, latency: float | None, how: str
) -> tuple[float | None, str]:
    """Return the number of concurrent requests, and the source of this number in words.

    If the run was always at its limit on concurrency, the number is this limit. Otherwise it is the measured mean.

    completed : number of completed requests
    duration : seconds of the run
    latency : mean seconds of a request
    how : source of `latency`, in words
    """
    key = fields.first_present("max_concurrency", "conc")
    limit = fields.number(key) if key else None
    unlimited = str(fields.data.get("request_rate", "inf")).lower() in ("inf", "infinity", "none")
    if limit is not None and limit < 1:
        fields.refuse(f"'{key}' must be at least 1", str(key))
    if limit is not None and unlimited and (completed is None or completed >= limit):
        return limit, f"'{key}'"
    measured = fields.number("concurrency")
    if measured is None and completed and duration and latency:
        measured, origin = completed / duration * latency, f"measured mean: requests/s × {how} (Little's law)"
    else:
        origin = "'concurrency', the measured mean"
    if measured is not None:
        return max(1.0, min(measured, limit or measured)), origin
    return limit, f"'{key}', which may not have been reached" if limit is not None else ""


def _requests(fields: Fields) -> tuple[tuple[str, str], ...]:
    """Describe the requests of a run in pairs of key and text, such as ("data set", "random") and ("isl", "1024").

    The pairs are the data set, and the prompt and output lengths with which the benchmark was started. Keys such as
    `random_input_len` are used only for random data sets, because SGLang writes them for every data set.
    """
    data_set = fields.text("dataset_name", "dataset")
    keys = ["isl", "osl", "input_len", "output_len"]
    if data_set is not None and data_set.startswith("random"):
        keys += ["random_input_len", "random_output_len"]
    described = [("data set", data_set)] if data_set else []
    return (*described, *((key, text) for key in keys if (text := fields.text(key)) is not None))


def date_of(text: str | None) -> str | None:
    """Return the date at the beginning of a text, in the form `2025-05-30`. Return None if there is no date."""
    match = _DATE.fullmatch(text or "")
    try:
        return str(date(int(match[1]), int(match[2]), int(match[3]))) if match else None
    except ValueError:  # the 31st of February
        return None


def report_no_concurrency(run: Run) -> None:
    """Report that the concurrency of a run is unknown."""
    message = "the number of concurrent requests is not in the file and cannot be computed from it"
    run.fields.refuse(message, "max_concurrency", hint=_REMEDY, code="missing-key")
