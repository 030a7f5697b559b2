"""Speed by concurrency: a point left out of a measured curve, and what the planner reads between its neighbours.

A CSV file, a point a row:

    model, setup       what is served, and on what
    input_tokens       length of the prompts
    concurrency        requests at a time
    tokens_per_second  output speed of each of them, once it writes
    all_tokens_per_second  output tokens per second of all of them together, waiting for the first token and all; the
                           column may be left out

Points of one model, setup and prompt length are a curve; of a point that was measured several times the mean time per
token counts. Each point but the first and the last is left out in turn; the planner reads the curve of the others at
its concurrency, as `output_speed: {1: 63, 16: 45}` is read. The same is done with the speed of whole requests,
all_tokens_per_second / concurrency.

With a second file, curves are those of the first, and the points of the second are predicted that are none of theirs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import harmonic_mean

from planner.planning.forecast import forecast
from planner.workflow.read import read_workflow
from suites.common import (
    DATA,
    BadDataError,
    Measure,
    Report,
    Row,
    ape,
    better,
    count,
    grouped,
    measured,
    positive,
    positive_or_none,
    table,
    word,
)

FILES = (DATA / "serving.csv",)
TOKENS = 1000
WRITING, WHOLE = "writing", "whole requests"
BETWEEN, BEYOND = "between points", "beyond the points"

Name = tuple[str, str, float]
"""Of a curve: model, setup, prompt length."""

Curve = Mapping[int, float]
"""Tokens per second of each request, by concurrency."""


def run(files: Sequence[Path]) -> Report:
    """Leave out each inner point of each curve; or predict the points of a second file."""
    if len(files) not in (1, 2):
        raise BadDataError("serving takes one file, or two: points that are known and points that are not")
    rows: list[Row] = []
    measures: list[Measure] = []
    for speed in (WRITING, WHOLE):
        known, *others = (_curves(path, speed) for path in files)
        found = _left_out(known) if not others else _unknown(known, others[0])
        rows += [{"speed": speed, **row} for row in found]
        measures += _measures("" if speed == WRITING else f"{speed}: ", found)
    if not rows:
        what = "no curve has three points" if len(files) == 1 else f"no point of another concurrency than {files[0]}"
        raise BadDataError(f"{files[-1]}: {what}")
    curves = {(row["model"], row["setup"], row["input tokens"]) for row in rows}
    return Report("serving", measures, rows, (
        f"{sum(row['speed'] == WRITING for row in rows)} points of {len(curves)} curves. Intervals resample curves.",
    ))  # fmt: skip


def _curves(path: Path, speed: str) -> dict[Name, Curve]:
    """The curves of a file; of whole requests the points where they are known."""
    columns = {
        "model": word, "setup": word, "input_tokens": positive, "concurrency": count, "tokens_per_second": positive,
    }  # fmt: skip
    points = table(path, columns, {"all_tokens_per_second": positive_or_none})
    if speed == WHOLE:
        points = [
            {**point, "tokens_per_second": point["all_tokens_per_second"] / point["concurrency"]}
            for point in points
            if point["all_tokens_per_second"] is not None
        ]
    return {
        name: {
            at: harmonic_mean([point["tokens_per_second"] for point in repeats])
            for at, repeats in sorted(grouped(own, lambda row: row["concurrency"]).items())
        }
        for name, own in grouped(points, lambda row: (row["model"], row["setup"], row["input_tokens"])).items()
    }


def _left_out(curves: Mapping[Name, Curve]) -> list[Row]:
    return [
        _row(name, {other: speed for other, speed in curve.items() if other != at}, at, curve[at])
        for name, curve in curves.items()
        for at in list(curve)[1:-1]
    ]


def _unknown(known: Mapping[Name, Curve], others: Mapping[Name, Curve]) -> list[Row]:
    return [
        _row(name, known[name], at, speed)
        for name, curve in others.items()
        for at, speed in curve.items()
        if name in known and at not in known[name]
    ]


def _row(name: Name, curve: Curve, at: int, speed: float) -> Row:
    guess, below = plan(curve, at), curve[max((other for other in curve if other < at), default=min(curve))]
    return {
        "model": name[0], "setup": name[1], "input tokens": name[2], "concurrency": at,
        "where": BETWEEN if min(curve) < at < max(curve) else BEYOND, "predicted": guess, "measured": speed,
        "ape": ape(guess, speed), "point below": ape(below, speed),
    }  # fmt: skip


def _measures(name: str, rows: Sequence[Row]) -> list[Measure]:
    found: list[Measure] = []
    between = [row for row in rows if row["where"] == BETWEEN]
    if between:
        errors, curves = _errors(between)
        below = [row["point below"] for row in between]
        found += [
            measured(f"{name}median APE", errors, curves, most=0.15),
            *(
                measured(f"{name}median APE at concurrency {at}", *_errors(own))
                for at, own in sorted(grouped(between, lambda row: row["concurrency"]).items())
            ),
            measured(f"{name}median APE of the point below", below, curves),
            better(f"{name}mean APE less than the point below", errors, below, curves),
        ]
    beyond = [row for row in rows if row["where"] == BEYOND]
    if beyond:
        found.append(measured(f"{name}median APE {BEYOND}", *_errors(beyond)))
    return found


def _errors(rows: Sequence[Row]) -> tuple[list[float], list[Name]]:
    return [row["ape"] for row in rows], [(row["model"], row["setup"], row["input tokens"]) for row in rows]


def plan(curve: Curve, concurrency: int) -> float:
    """Tokens per second of each of so many requests at a time, by the planner."""
    speeds = ", ".join(f"{requests}: {speed}" for requests, speed in curve.items())
    workflow = (
        f"workflow: curve\nmodel: m\nmodels: {{m: {{ttft: 0s, output_speed: {{{speeds}}}, jitter: 0}}}}\n"
        f"steps: {{ask: {{for_each: {concurrency}, llm: {{output: {TOKENS}}}}}}}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "curve.yaml")
        path.write_text(workflow, encoding="utf-8")
        return TOKENS / forecast(read_workflow(path), agents=concurrency, samples=1).result.seconds.p50
