"""Trials of agents: seconds from output tokens, on tasks that are known from other trials and on tasks that are not.

A CSV file, a trial a row:

    model          name of the model
    task           what the agent was given; trials of one task are repeats
    output_tokens  of the whole trial, at least 1
    seconds        from the start of the agent to its end

A trial is a request of so many output tokens and, after it, the rest: tools, waits and reading.

- known tasks: half of each task's trials give the model's output speed and, for each task, the rest in seconds
  (median). The planner forecasts the other trials.
- new tasks: trials of half of the tasks give the output speed and one time besides it, for trials of the other half.

The baseline, constant speed, is output tokens over the mean tokens per second of the same trials.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.planning.forecast import forecast
from planner.workflow.read import read_workflow
from suites.common import (
    DATA,
    SEED,
    BadDataError,
    Floats,
    Measure,
    Report,
    Row,
    ape,
    better,
    grouped,
    log_error,
    mean,
    measured,
    median,
    positive,
    table,
    word,
)
from suites.fitting import fit

FILES = (DATA / "agents.csv",)
LEAST = 20
SPEEDS = 40

Bools = NDArray[np.bool_]


def run(files: Sequence[Path]) -> Report:
    """Predict half of each model's trials from the other half."""
    if len(files) != 1:
        raise BadDataError("agents takes one file")
    trials = table(files[0], {"model": word, "task": word, "output_tokens": positive, "seconds": positive})
    rows: list[Row] = []
    for model, found in grouped(trials, lambda row: row["model"]).items():
        if len(found) >= LEAST:
            rows += _model(model, found)
    if not rows:
        raise BadDataError(f"{files[0]}: no model has {LEAST} trials")
    measures: list[Measure] = []
    for case, own in grouped(rows, lambda row: row["case"]).items():
        by_model = grouped(own, lambda row: row["model"])
        errors = [row["error"] for row in own]
        tasks = [(row["model"], row["task"]) for row in own]
        medians = {name: median([row["ape"] for row in some]) for name, some in by_model.items()}
        value = median(list(medians.values()))
        measures += [
            Measure(f"{case}: median over models of the median APE", value, goal="at most 0.2", met=value <= 0.2),
            *(measured(f"{case}, {name}: median APE", [row["ape"] for row in some],
                       [row["task"] for row in some]) for name, some in by_model.items()),
            measured(f"{case}: median APE of constant speed", [row["constant ape"] for row in own], tasks),
            better(f"{case}: mean |ln| less than constant speed", errors, [row["constant"] for row in own], tasks),
        ]  # fmt: skip
        measures += _signed(case, own, tasks)
    return Report("agents", [*measures, *_floor(trials)], rows, (
        f"{len(trials)} trials of {len({row['task'] for row in trials})} tasks. Intervals resample tasks. Trials whose "
        "log holds no tokens, as those that were stopped at their time limit, are not in the data.",
    ))  # fmt: skip


def _signed(case: str, rows: Sequence[Row], tasks: Sequence[Any]) -> list[Measure]:
    bias = [float(np.log(row["predicted"] / row["measured"])) for row in rows]
    return [measured(f"{case}: bias, mean ln(predicted / measured)", bias, tasks, statistic=mean)]


def _model(model: str, trials: Sequence[Row]) -> list[Row]:
    tokens, seconds = (np.array([row[key] for row in trials], float) for key in ("output_tokens", "seconds"))
    tasks = np.array([row["task"] for row in trials])
    rng = np.random.default_rng(SEED)
    known = np.zeros(len(trials), bool)
    for task in sorted(set(tasks)):
        own = rng.permutation(np.flatnonzero(tasks == task))
        known[own[: (len(own) + 1) // 2]] = True
    names = rng.permutation(sorted(set(tasks)))
    new = np.isin(tasks, names[: (len(names) + 1) // 2])
    rows = []
    for case, training in (("known tasks", known), ("new tasks", new)):
        if training.all():
            continue
        if case == "known tasks":
            speed, rest = _by_task(tokens, seconds, tasks, training)
        else:
            profile = fit(np.zeros(int(training.sum())), tokens[training], seconds[training])
            speed, rest = profile.output_speed, np.full(len(trials), profile.ttft)
        constant = float(tokens[training].sum() / seconds[training].sum())
        held_out = ~training
        found = plan(speed, tokens[held_out], rest[held_out])
        for task, written, took, guess in zip(tasks[held_out], tokens[held_out], seconds[held_out], found, strict=True):
            rows.append({
                "case": case, "model": model, "task": str(task), "output tokens": float(written), "speed": speed,
                "predicted": guess, "measured": float(took), "ape": ape(guess, took), "error": log_error(guess, took),
                "constant ape": ape(written / constant, took), "constant": log_error(written / constant, took),
            })  # fmt: skip
    return rows


def _by_task(tokens: Floats, seconds: Floats, tasks: NDArray[np.str_], training: Bools) -> tuple[float, Floats]:
    """The output speed of least mean |ln| error on the training trials, and what each trial's task takes besides."""
    best: tuple[float, float, Floats] | None = None
    for speed in np.quantile((tokens / seconds)[training], np.linspace(0.05, 1, SPEEDS)):
        rest = np.zeros(len(tokens))
        for task in set(tasks):
            own = tasks == task
            rest[own] = max(0.0, median((seconds - tokens / speed)[own & training]))
        loss = float(np.abs(np.log((tokens / speed + rest) / seconds))[training].mean())
        if best is None or loss < best[0]:
            best = loss, float(speed), rest
    assert best is not None
    return best[1:]


def plan(speed: float, tokens: Floats, rest: Floats) -> list[float]:
    """Median seconds of trials, each a request and the rest after it, by the planner."""
    steps = "\n".join(
        f"  t{number}: {{steps: {{write: {{llm: {{output: {written:.0f}}}}}, "
        f"rest: {{needs: write, tool: {besides:.3f}s}}}}}}"
        for number, (written, besides) in enumerate(zip(tokens, rest, strict=True))
    )
    workflow = f"workflow: trials\nmodel: m\nmodels: {{m: {{ttft: 0s, output_speed: {speed:.6g}, jitter: 0}}}}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trials.yaml")
        path.write_text(f"{workflow}steps:\n{steps}\n", encoding="utf-8")
        found = {step.step: step.seconds for step in forecast(read_workflow(path), samples=1).steps}
    return [found[f"t{number}.write"] + found[f"t{number}.rest"] for number in range(len(tokens))]


def _floor(trials: Sequence[Row]) -> list[Measure]:
    """How far a trial is from the median of the other trials of its task, in seconds per token."""
    apart, tasks = [], []
    for (model, task), own in grouped(trials, lambda row: (row["model"], row["task"])).items():
        rates = np.array([row["seconds"] / row["output_tokens"] for row in own])
        for at in range(len(rates) if len(rates) > 2 else 0):
            apart.append(log_error(median(np.delete(rates, at)), rates[at]))
            tasks.append((model, task))
    return [measured("replicates: median |ln| of seconds per token", apart, tasks)] if apart else []
