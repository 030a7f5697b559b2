"""Servers by concurrency: a point left out of a measured curve, and what the planner reads between its neighbours.

A CSV file, a point a row:

    model, setup       what is served, and on what
    input_tokens       length of the prompts
    concurrency        requests at a time
    tokens_per_second  output speed of each of them, once it writes
    all_tokens_per_second  output tokens per second of all of them together, waiting for the first token and all
    ttft_seconds       wait of each of them for its first token
    output_tokens      that each of them wrote, in the mean

The last three columns may be left out. Points of one model, setup and prompt length are a curve; of a point that was
measured several times the mean time per token and the mean wait count. Each point but the first and the last is left
out in turn, and the others make a profile: output_speed by concurrency and, where all of them have the last two
columns, ttft by concurrency and measured_output. A plan with as many agents as the point has requests then says how
fast each writes and how long it waits. "Each alone" is the same profile without measured_output. The speed of whole
requests, all_tokens_per_second / concurrency, is planned as an output_speed without any ttft.

With a second file, curves are those of the first, and the points of the second are predicted that are none of theirs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, harmonic_mean

from planner.planning import forecast
from planner.workflow import read_workflow
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
WRITING, WAITING, WHOLE = "writing", "first token", "whole requests"
BETWEEN, BEYOND = "between points", "beyond the points"

Name = tuple[str, str, float]
"""Of a curve: model, setup, prompt length."""


@dataclass(frozen=True)
class Point:
    """Tokens per second of each request, its seconds to the first token and its output tokens; None: not known."""

    speed: float
    ttft: float | None = None
    output: float | None = None

    def of(self, what: str) -> float:
        """The wait or the speed."""
        if what != WAITING:
            return self.speed
        assert self.ttft is not None
        return self.ttft


Curve = Mapping[int, Point]
"""By concurrency."""


def run(files: Sequence[Path]) -> Report:
    """Leave out each inner point of each curve; or predict the points of a second file."""
    if len(files) not in (1, 2):
        raise BadDataError("serving takes one file, or two: points that are known and points that are not")
    rows: list[Row] = []
    measures: list[Measure] = []
    for what in (WRITING, WAITING, WHOLE):
        known, *others = (_curves(path, what) for path in files)
        found = _left_out(known, what) if not others else _unknown(known, others[0], what)
        rows += [{"what": what, **row} for row in found]
        measures += _measures("" if what == WRITING else f"{what}: ", found, 0.15 if what != WAITING else None)
    if not rows:
        why = "no curve has three points" if len(files) == 1 else f"no point of another concurrency than {files[0]}"
        raise BadDataError(f"{files[-1]}: {why}")
    curves = {(row["model"], row["setup"], row["input tokens"]) for row in rows}
    return Report("serving", measures, rows, (
        f"{sum(row['what'] == WRITING for row in rows)} points of {len(curves)} curves. Intervals resample curves.",
    ))  # fmt: skip


def _curves(path: Path, what: str) -> dict[Name, Curve]:
    """The curves of a file: of first tokens those where they are known, of whole requests the points where they are."""
    columns = {
        "model": word, "setup": word, "input_tokens": positive, "concurrency": count, "tokens_per_second": positive,
    }  # fmt: skip
    optional = dict.fromkeys(("all_tokens_per_second", "ttft_seconds", "output_tokens"), positive_or_none)
    rows = table(path, columns, optional)
    if what == WHOLE:
        rows = [row for row in rows if row["all_tokens_per_second"] is not None]
    curves: dict[Name, Curve] = {
        name: {
            at: _point(repeats, what) for at, repeats in sorted(grouped(own, lambda row: row["concurrency"]).items())
        }
        for name, own in grouped(rows, lambda row: (row["model"], row["setup"], row["input_tokens"])).items()
    }
    if what == WAITING:
        return {
            name: curve for name, curve in curves.items() if all(point.ttft is not None for point in curve.values())
        }
    return curves


def _point(repeats: Sequence[Row], what: str) -> Point:
    if what == WHOLE:
        return Point(harmonic_mean([row["all_tokens_per_second"] / row["concurrency"] for row in repeats]))
    speed = harmonic_mean([row["tokens_per_second"] for row in repeats])
    waits = [
        row["ttft_seconds"] for row in repeats if row["ttft_seconds"] is not None and row["output_tokens"] is not None
    ]
    if len(waits) < len(repeats):
        return Point(speed)
    return Point(speed, fmean(waits), fmean(row["output_tokens"] for row in repeats))


def _left_out(curves: Mapping[Name, Curve], what: str) -> list[Row]:
    return [
        _row(name, {other: point for other, point in curve.items() if other != at}, at, curve[at], what)
        for name, curve in curves.items()
        for at in list(curve)[1:-1]
    ]


def _unknown(known: Mapping[Name, Curve], others: Mapping[Name, Curve], what: str) -> list[Row]:
    return [
        _row(name, known[name], at, point, what)
        for name, curve in others.items()
        for at, point in curve.items()
        if name in known and at not in known[name]
    ]


def _row(name: Name, curve: Curve, at: int, point: Point, what: str) -> Row:
    below = curve[max((other for other in curve if other < at), default=min(curve))]
    alone = {other: replace(one, output=None) for other, one in curve.items()}
    planned, apart = plan(curve, at), plan(alone, at)
    guess, true = planned.of(what), point.of(what)
    return {
        "model": name[0], "setup": name[1], "input tokens": name[2], "concurrency": at,
        "where": BETWEEN if min(curve) < at < max(curve) else BEYOND, "predicted": guess, "measured": true,
        "ape": ape(guess, true), "each alone": ape(apart.of(what), true), "point below": ape(below.of(what), true),
    }  # fmt: skip


def _measures(name: str, rows: Sequence[Row], most: float | None) -> list[Measure]:
    found: list[Measure] = []
    between = [row for row in rows if row["where"] == BETWEEN]
    if between:
        errors, curves = _errors(between)
        alone, below = ([row[key] for row in between] for key in ("each alone", "point below"))
        found += [
            measured(f"{name}median APE", errors, curves, most=most),
            *(
                measured(f"{name}median APE at concurrency {at}", *_errors(own))
                for at, own in sorted(grouped(between, lambda row: row["concurrency"]).items())
            ),
            *([measured(f"{name}median APE of each alone", alone, curves)] if alone != errors else []),
            measured(f"{name}median APE of the point below", below, curves),
            *([better(f"{name}mean APE less than the point below", errors, below, curves)] if most is not None else []),
        ]
    beyond = [row for row in rows if row["where"] == BEYOND]
    if beyond:
        found.append(measured(f"{name}median APE {BEYOND}", *_errors(beyond)))
    return found


def _errors(rows: Sequence[Row]) -> tuple[list[float], list[Name]]:
    return [row["ape"] for row in rows], [(row["model"], row["setup"], row["input tokens"]) for row in rows]


def plan(curve: Curve, concurrency: int) -> Point:
    """Of each of so many requests at a time, by the planner. Without outputs TTFT and speed are read each alone."""
    parts = [f"output_speed: {{{', '.join(f'{at}: {point.speed}' for at, point in curve.items())}}}"]
    waits = {at: point.ttft for at, point in curve.items() if point.ttft is not None}
    outputs = [point.output for point in curve.values() if point.output is not None]
    timed = len(waits) == len(curve)
    parts.append(
        f"ttft: {{{', '.join(f'{at}: {1000 * wait:.6f}ms' for at, wait in waits.items())}}}" if timed else "ttft: 0s"
    )
    if timed and len(outputs) == len(curve):
        parts.append(f"measured_output: {fmean(outputs)}")
    workflow = (
        f"workflow: curve\nmodel: m\nmodels: {{m: {{{', '.join(parts)}, jitter: 0}}}}\n"
        f"steps: {{ask: {{for_each: {concurrency}, llm: {{output: {TOKENS}}}}}}}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "curve.yaml")
        path.write_text(workflow, encoding="utf-8")
        spent = forecast(read_workflow(path), agents=concurrency, samples=1).breakdown
        return Point(TOKENS / spent["decode"], spent["ttft"])
