"""Speed by concurrency: a point left out of a measured curve, and what the planner reads between its neighbours.

A CSV file, a point a row:

    model, setup       what is served, and on what
    input_tokens       length of the prompts
    concurrency        requests at a time
    tokens_per_second  output speed of each of them

Points of one model, setup and prompt length are a curve. Each point but the first and the last is left out in turn; the
planner reads the curve of the others at its concurrency, as `output_speed: {1: 63, 16: 45}` is read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from planner.planning.forecast import forecast
from planner.workflow.read import read_workflow
from suites.common import DATA, BadDataError, Report, Row, ape, better, grouped, measured, positive, table, whole, word

FILES = (DATA / "serving.csv",)
TOKENS = 1000


def run(files: Sequence[Path]) -> Report:
    """Leave out each inner point of each curve."""
    if len(files) != 1:
        raise BadDataError("serving takes one file")
    columns = {
        "model": word, "setup": word, "input_tokens": positive, "concurrency": whole, "tokens_per_second": positive,
    }  # fmt: skip
    points = table(files[0], columns)
    rows: list[Row] = []
    for (model, setup, length), own in grouped(
        points, lambda row: (row["model"], row["setup"], row["input_tokens"])
    ).items():
        curve = {point["concurrency"]: point["tokens_per_second"] for point in own}
        for at in sorted(curve)[1:-1]:
            others = {count: speed for count, speed in sorted(curve.items()) if count != at}
            guess, below = plan(others, at), others[max(count for count in others if count < at)]
            rows.append({
                "model": model, "setup": setup, "input tokens": length, "concurrency": at, "predicted": guess,
                "measured": curve[at], "ape": ape(guess, curve[at]), "point below": ape(below, curve[at]),
            })  # fmt: skip
    if not rows:
        raise BadDataError(f"{files[0]}: no curve has three points")
    errors, curves = [row["ape"] for row in rows], [_curve(row) for row in rows]
    return Report("serving", [
        measured("median APE", errors, curves, most=0.15),
        *(
            measured(f"median APE at concurrency {at}", [row["ape"] for row in own], [_curve(row) for row in own])
            for at, own in sorted(grouped(rows, lambda row: row["concurrency"]).items())
        ),
        measured("median APE of the point below", [row["point below"] for row in rows], curves),
        better("mean APE less than the point below", errors, [row["point below"] for row in rows], curves),
    ], rows, (f"{len(rows)} points left out of {len(set(curves))} curves. Intervals resample curves.",))  # fmt: skip


def _curve(row: Row) -> tuple[str, str, float]:
    return row["model"], row["setup"], row["input tokens"]


def plan(curve: Mapping[int, float], concurrency: int) -> float:
    """Tokens per second of each of so many requests at a time, by the planner."""
    speeds = ", ".join(f"{count}: {speed}" for count, speed in curve.items())
    workflow = (
        f"workflow: curve\nmodel: m\nmodels: {{m: {{ttft: 0s, output_speed: {{{speeds}}}, jitter: 0}}}}\n"
        f"steps: {{ask: {{for_each: {concurrency}, llm: {{output: {TOKENS}}}}}}}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "curve.yaml")
        path.write_text(workflow, encoding="utf-8")
        return TOKENS / forecast(read_workflow(path), agents=concurrency, samples=1).result.seconds.p50
