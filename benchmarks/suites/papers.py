"""Latencies of papers, each predicted from the other rows of its model.

A CSV file, a published latency a row:

    source, benchmark, model, method   as published
    known          what the prediction rests on:
                   tokens  requests and their tokens: a profile is fitted to the other rows with tokens
                   turns   requests alone: seconds per request are the median of the other rows with turns
                   parts   the published seconds of its parts, one after another
                   none    nothing: the row is reported, and `note` says why
    requests       one after another; a fraction is a mean
    input_tokens, output_tokens   of all of them
    parts          seconds, with spaces between; of rows with tokens those of its tools, which their requests wait for
    seconds        the latency
    note           text

The first four columns, `known` and `seconds` are needed; others where `known` asks for them.

The prediction is the completion time of an agent loop, or of a chain of parts, by the planner.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.planning import forecast
from planner.workflow import read_workflow
from suites.common import DATA, BadDataError, Measure, Report, Row, amount_or_none, ape, median, positive, table, word
from suites.fitting import fit

FILES = (DATA / "papers.csv",)
MOST = 0.20
KINDS = ("tokens", "turns", "parts", "none")


def run(files: Sequence[Path]) -> Report:
    """Predict every row that can be."""
    if len(files) != 1:
        raise BadDataError("papers takes one file")
    columns: dict[str, Callable[[str], Any]] = {
        "source": word, "benchmark": word, "model": word, "method": word, "known": _kind, "seconds": positive,
    }  # fmt: skip
    optional: dict[str, Callable[[str], Any]] = {
        "requests": amount_or_none, "input_tokens": amount_or_none, "output_tokens": amount_or_none, "parts": _parts,
        "note": str,
    }  # fmt: skip
    published = table(files[0], columns, optional)
    for row in published:
        if row["known"] == "tokens" and sum(row["parts"]) >= row["seconds"]:
            raise BadDataError(f"{files[0]}: {row['benchmark']}, {row['method']}: its parts take longer than it does")
    rows: list[Row] = []
    for row in published:
        alike = [other for other in published if other["model"] == row["model"] and other["known"] == row["known"]]
        try:
            guess = _predicted(row, [other for other in alike if other is not row])
            known = _predicted(row, alike)
        except KeyError as error:
            raise BadDataError(f"{files[0]}: {row['benchmark']}, {row['method']}: no {error.args[0]}") from None
        rows.append({
            "benchmark": row["benchmark"], "model": row["model"], "method": row["method"], "known": row["known"],
            "predicted": guess, "measured": row["seconds"],
            "ape": None if guess is None else ape(guess, row["seconds"]),
            "fitted to it too": None if guess is None or known is None else ape(known, row["seconds"]),
            "note": row["note"],
        })  # fmt: skip
    errors = [row["ape"] for row in rows if row["ape"] is not None]
    if not errors:
        raise BadDataError(f"{files[0]}: no row can be predicted")
    fitted = [row["fitted to it too"] for row in rows if row["fitted to it too"] is not None]
    within = [error <= MOST for error in errors]
    return Report("papers", [
        Measure("largest error", max(errors), goal=f"at most {MOST:g}", met=all(within)),
        Measure("median error", median(errors)),
        Measure(f"share of rows within {MOST:g}", sum(within) / len(within)),
        Measure("largest error where the row is among the fitted", max(fitted)),
        Measure("rows predicted", len(errors)),
        Measure("rows not predicted", len(rows) - len(errors)),
    ], rows, (
        "Few rows share a model: a profile of three numbers is fitted to at most three rows, and where the row that "
        "is left out has the fewest tokens it is extrapolated.",
    ))  # fmt: skip


def _kind(cell: str) -> str:
    if cell not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}")
    return cell


def _parts(cell: str) -> list[float]:
    return [positive(part) for part in cell.split()]


def _predicted(row: Row, alike: Sequence[Row]) -> float | None:
    """Seconds, from such rows of the same model. Raises KeyError with what is missing."""
    if row["known"] == "none" or (row["known"] != "parts" and not alike):
        return None
    if row["known"] == "parts":
        if not row["parts"]:
            raise KeyError("parts")
        return plan(None, row["parts"])
    needed = ("requests",) if row["known"] == "turns" else ("requests", "input_tokens", "output_tokens")
    for one in (row, *alike):
        for key in needed:
            if not one[key]:
                raise KeyError(key)
    requests = row["requests"]
    if row["known"] == "turns":
        each = median([other["seconds"] / other["requests"] for other in alike])
        return plan(Request(each, 1e6, 1e6, 0, 0), [], requests)
    read, written, seconds = (
        np.array([other[key] for other in alike]) for key in ("input_tokens", "output_tokens", "seconds")
    )
    found = fit(read, written, seconds - np.array([sum(other["parts"]) for other in alike]))
    request = Request(found.ttft / requests, found.prefill_speed, found.output_speed, row["input_tokens"] / requests,
                   row["output_tokens"] / requests)  # fmt: skip
    return plan(request, row["parts"], requests)


@dataclass(frozen=True)
class Request:
    """Seconds, tokens per second, tokens."""

    ttft: float
    prefill_speed: float
    output_speed: float
    read: float
    written: float


def plan(request: Request | None, parts: Sequence[float], times: float = 1) -> float:
    """Completion time by the planner: a request so many times, and parts, one after another."""
    steps, last, model = [], "", ""
    if request is not None:
        model = (
            f"model: m\nmodels: {{m: {{ttft: {request.ttft:.6f}s, prefill_speed: {request.prefill_speed:.6g}, "
            f"output_speed: {request.output_speed:.6g}, jitter: 0}}}}\n"
        )
        body = f"llm: {{input: {request.read:.0f}, output: {request.written:.0f}}}"
        whole = int(times)
        steps, last = [f"  loop: {{repeat: {{times: {max(1, whole)}}}, {body}}}"], "loop"
        if times > whole:
            steps.append(f"  more: {{needs: loop, chance: {times - whole:.4f}, {body}}}")
    for at, part in enumerate(parts):
        steps.append(f"  p{at}: {{{f'needs: {last}, ' if last else ''}tool: {part}s}}")
        last = f"p{at}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "row.yaml")
        path.write_text(f"workflow: row\n{model}steps:\n" + "\n".join(steps) + "\n", encoding="utf-8")
        return forecast(read_workflow(path), samples=1000).result.seconds.mean
