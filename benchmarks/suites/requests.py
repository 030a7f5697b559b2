"""Single requests: a profile fitted to half of a model's requests, and the seconds of the other half.

A CSV file (it may end in .gz), a request a row:

    model          name of the model as served
    input_tokens   tokens read
    output_tokens  tokens written, at least 1
    seconds        from sending the request to its last token

Of each model up to 300 requests are drawn at random. Half of them give its profile: TTFT, prefill speed, output speed
and jitter. The planner forecasts every request of the other half from its tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from suites.common import (
    DATA,
    SEED,
    BadDataError,
    Measure,
    Report,
    Row,
    amount,
    ape,
    better,
    grouped,
    measured,
    median,
    positive,
    table,
    word,
)
from suites.fitting import fit, predicted

FILES = (DATA / "requests.csv.gz",)
LEAST = 20
MOST = 300
"""Requests of a model that are used, drawn at random; more make a suite of minutes."""

WITHIN = 1.6449
"""Standard deviations on either side that hold 90 of 100."""


def run(files: Sequence[Path]) -> Report:
    """Predict half of each model's requests from the other half."""
    if len(files) != 1:
        raise BadDataError("requests takes one file")
    columns = {"model": word, "input_tokens": amount, "output_tokens": positive, "seconds": positive}
    requests = table(files[0], columns)
    rows = [_model(name, found) for name, found in grouped(requests, lambda row: row["model"]).items()
            if len(found) >= LEAST]  # fmt: skip
    if not rows:
        raise BadDataError(f"{files[0]}: no model has {LEAST} requests")
    models = [row["model"] for row in rows]
    ours = [row["median ape"] for row in rows]
    return Report("requests", [
        measured("median over models of the median APE", ours, models, most=0.15),
        measured("the same for output tokens at constant speed", [row["constant speed"] for row in rows], models),
        measured("the same for the median of the fitted half", [row["no tokens"] for row in rows], models),
        better("APE less than constant speed, mean over models", ours, [row["constant speed"] for row in rows], models),
        better("APE less than no tokens, mean over models", ours, [row["no tokens"] for row in rows], models),
        Measure("models with a median APE of at most 0.15", float(np.mean([value <= 0.15 for value in ours]))),
        measured("share within the forecast's p5 to p95, median", [row["within 90%"] for row in rows], models),
    ], rows, (
        f"{len(rows)} models, {sum(row['requests'] for row in rows)} predicted requests. A row is a model; `--json` "
        "has the same rows. No request was made twice, so there is no replicate floor.",
    ))  # fmt: skip


def _model(name: str, requests: Sequence[Row]) -> Row:
    order = np.random.default_rng(SEED).permutation(len(requests))[:MOST]
    read, written, seconds = (
        np.array([requests[at][key] for at in order], float) for key in ("input_tokens", "output_tokens", "seconds")
    )
    half = len(order) // 2
    profile = fit(read[:half], written[:half], seconds[:half])
    found = np.array(predicted(profile, read[half:].tolist(), written[half:].tolist()))
    speed = float(written[:half].sum() / seconds[:half].sum())
    usual = median(seconds[:half])
    inside = np.abs(np.log(seconds[half:] / found)) <= WITHIN * profile.jitter
    return {
        "model": name, "requests": len(order) - half, "ttft": profile.ttft, "prefill speed": profile.prefill_speed,
        "output speed": profile.output_speed, "jitter": profile.jitter,
        "median ape": median(np.abs(found - seconds[half:]) / seconds[half:]),
        "constant speed": median([ape(tokens / speed, took) for tokens, took in zip(written[half:], seconds[half:],
                                                                                    strict=True)]),
        "no tokens": median([ape(usual, took) for took in seconds[half:]]),
        "within 90%": float(inside.mean()),
    }  # fmt: skip
