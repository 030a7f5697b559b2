"""Trials of agents: seconds from output tokens, on tasks that are known from other trials and on tasks that are not.

A CSV file, a trial a row:

    model          name of the model
    task           what the agent was given; trials of one task are repeats
    input_tokens   of the whole trial, what was read again counted again; the column may be left out
    output_tokens  of the whole trial, at least 1
    seconds        from the start of the agent to its end

A trial is a request of so many output tokens and, after it, the rest: tools, waits and reading.

- known tasks: half of each task's trials give the model's output speed and, for each task, the rest in seconds
  (median). The planner forecasts the other trials.
- new tasks: each task's trials are forecast from those of all other tasks, which give the output speed, one time
  besides it, and a time per turn. Turns are not in the data, but what an agent reads tells of them: it reads its
  context in each turn, which has grown by then, so that n turns read about n² times what one adds, and the time of n
  turns is proportional to the root of the input tokens. A model with trials that have none does without.

The baseline, constant speed, is output tokens over the mean tokens per second of the same trials.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.planning import forecast
from planner.workflow import read_workflow
from suites.common import (
    DATA,
    SEED,
    BadDataError,
    Floats,
    Measure,
    Report,
    Row,
    amount_or_none,
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
FOLDS = 100
"""Most groups of tasks that are left out in turn; of fewer tasks each is a group."""

TOGETHER = 200
"""Trials of one workflow file."""

Bools = NDArray[np.bool_]


def run(files: Sequence[Path]) -> Report:
    """Predict half of each task's trials from the other half, and each task's from those of the others."""
    if len(files) != 1:
        raise BadDataError("agents takes one file")
    columns = {"model": word, "task": word, "output_tokens": positive, "seconds": positive}
    trials = table(files[0], columns, {"input_tokens": amount_or_none})
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
    found: list[tuple[str, Bools, float, Floats]] = []
    rng = np.random.default_rng(SEED)
    known = np.zeros(len(trials), bool)
    for task in sorted(set(tasks)):
        own = rng.permutation(np.flatnonzero(tasks == task))
        known[own[: (len(own) + 1) // 2]] = True
    if not known.all():
        found.append(("known tasks", known, *_by_task(tokens, seconds, tasks, known)))
    read = [row["input_tokens"] for row in trials]
    turns = np.zeros(len(trials)) if None in read else np.sqrt(np.array(read, float))
    names = sorted(set(tasks))
    groups = min(FOLDS, len(names))
    for group in range(groups if groups > 1 else 0):
        training = ~np.isin(tasks, names[group::groups])
        profile = fit(turns[training], tokens[training], seconds[training])
        found.append(("new tasks", training, profile.output_speed, profile.ttft + turns / profile.prefill_speed))
    rows: list[Row] = []
    for case, training, speed, rest in found:
        constant = float(tokens[training].sum() / seconds[training].sum())
        rows += [
            {"case": case, "model": model, "task": str(tasks[at]), "output tokens": float(tokens[at]), "speed": speed,
             "rest": float(rest[at]), "constant speed": float(tokens[at]) / constant, "measured": float(seconds[at])}
            for at in np.flatnonzero(~training)
        ]  # fmt: skip
    guesses = plan([(row["speed"], row["output tokens"], row["rest"]) for row in rows])
    return [_compared(row, guess) for row, guess in zip(rows, guesses, strict=True)]


def _compared(row: Row, guess: float) -> Row:
    measured_, constant = row["measured"], row.pop("constant speed")
    return {
        **row, "predicted": guess, "ape": ape(guess, measured_), "error": log_error(guess, measured_),
        "constant ape": ape(constant, measured_), "constant": log_error(constant, measured_),
    }  # fmt: skip


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


def plan(trials: Sequence[tuple[float, float, float]]) -> list[float]:
    """Median seconds of trials by the planner, each a request and the rest after it: speed, output tokens, seconds."""
    found: list[float] = []
    for start in range(0, len(trials), TOGETHER):
        some = trials[start : start + TOGETHER]
        speeds = {speed: f"m{at}" for at, speed in enumerate(dict.fromkeys(speed for speed, _, _ in some))}
        models = "\n".join(
            f"  {name}: {{ttft: 0s, output_speed: {speed:.6g}, jitter: 0}}" for speed, name in speeds.items()
        )
        steps = "\n".join(
            f"  t{at}: {{steps: {{write: {{model: {speeds[speed]}, llm: {{output: {written:.0f}}}}}, "
            f"rest: {{needs: write, tool: {besides:.3f}s}}}}}}"
            for at, (speed, written, besides) in enumerate(some)
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trials.yaml")
            path.write_text(f"workflow: trials\nmodels:\n{models}\nsteps:\n{steps}\n", encoding="utf-8")
            taken = {step.step: step.seconds for step in forecast(read_workflow(path), samples=1).steps}
        found += [taken[f"t{at}.write"] + taken[f"t{at}.rest"] for at in range(len(some))]
    return found


def _floor(trials: Sequence[Row]) -> list[Measure]:
    """How far a trial is from the median of the other trials of its task, in seconds per token."""
    apart, tasks = [], []
    for (model, task), own in grouped(trials, lambda row: (row["model"], row["task"])).items():
        rates = np.array([row["seconds"] / row["output_tokens"] for row in own])
        for at in range(len(rates) if len(rates) > 2 else 0):
            apart.append(log_error(median(np.delete(rates, at)), rates[at]))
            tasks.append((model, task))
    return [measured("replicates: median |ln| of seconds per token", apart, tasks)] if apart else []
