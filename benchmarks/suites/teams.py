"""Teams of agents in rounds: from the task graph, the mode and runs of a single agent to the speedup of n agents.

Two CSV files, in this order. Runs, one a row:

    model          name of the model
    mode           how work is divided: `decentralized` (agents claim items) or `preassigned`; any name will do
    task           what was worked on; graphs of one task are alike in kind
    graph          the task graph of the run, as in the second file
    agents         1, 2, ...; a model, mode and graph without a run of 1 is left out
    seconds        completion time, wall clock
    output_tokens  of all agents together

Task graphs, an item a row:

    graph  its name
    item   a name within the graph
    needs  items of the graph that must end before, with spaces between; empty: none

What is predicted from what: the graph is a backlog of items of equal size, whose tokens and speed are medians of the
single agent's runs of the same model, mode and graph, and whose jitter is the spread of these runs: a team waits for
the slowest of its agents, who differ as runs of one do. The team is a crew in lockstep. Its one parameter,
`redundancy`, is the median of (output tokens of n agents / of one - 1) / (n - 1) over the runs of other models, or of
other tasks: tokens, never seconds, and never of what is predicted. The speedup is that of `planner compare`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.errors import InputError
from planner.planning import compare
from planner.workflow import PRESETS, read_workflow
from suites.common import (
    DATA,
    SEED,
    BadDataError,
    Measure,
    Report,
    Row,
    better,
    grouped,
    log_error,
    mean,
    measured,
    median,
)
from suites.team_runs import Case, Cell, Graph, cells_of, chain, graphs_of

FILES = (DATA / "teams_runs.csv", DATA / "teams_graphs.csv")
SAMPLES = 400
HALVES = 100

Axes = tuple[int, ...]
FOLDS: tuple[tuple[str, Axes | None], ...] = (
    ("other models", (0,)),
    ("other tasks", (2,)),
    ("others of both", (0, 2)),
    ("shipped presets", None),
)
"""What redundancy is read off: rows that differ in these parts of their case, or none of the file."""


def run(files: Sequence[Path]) -> Report:
    """Predict each cell without its model, without its task, and with the presets that the planner ships."""
    if len(files) != 2:
        raise BadDataError("teams takes two files: runs and task graphs")
    graphs = graphs_of(files[1])
    cells, without = cells_of(files[0], graphs)
    rows: list[Row] = []
    measures: list[Measure] = []
    for name, axes in FOLDS:
        predicted = list(_predicted(cells, graphs, axes))
        if not predicted:
            continue
        found = [
            _row(name, cell, share, planned, _usual(cells, cell, axes), graphs) for cell, share, planned in predicted
        ]
        rows += found
        measures += _measures(name, found)
        for mode in sorted({row["mode"] for row in found}):
            own = [row for row in found if row["mode"] == mode]
            measures.append(measured(f"{name}, {mode}: median |ln|", *_errors(own)))
            measures.append(measured(f"{name}, {mode}: signs right", *_signs(own), statistic=mean))
    if not rows:
        raise BadDataError(f"{files[0]}: one model, one task, and no mode of a preset: nothing to predict from")
    for mode, alike in grouped(cells, lambda cell: cell.case[1]).items():
        shares, cases = [cell.redundancy for cell in alike], [cell.case for cell in alike]
        measures.append(measured(f"redundancy of {mode} teams, by tokens", shares, cases))
    runs = sum(len(cell.seconds) for cell in cells)
    return Report("teams", [*measures, *_floor(cells)], rows, (
        f"{len(cells)} cells of {runs} runs. Errors are |ln(predicted / measured speedup)|. Intervals resample the "
        f"{len({cell.case for cell in cells})} cases of a model, mode and graph, whose cells share the single agent's "
        "runs.",
        *((f"Cases without a run of a single agent, which are left out: {len(without)}.",) if without else ()),
        "Rows of 'shipped presets' are not held out where the data is the one that the presets are fitted to.",
    ))  # fmt: skip


def _predicted(
    cells: Sequence[Cell], graphs: Mapping[str, Graph], axes: Axes | None
) -> Iterator[tuple[Cell, float, Planned]]:
    """Each cell with its redundancy and what is predicted. axes: of a case, what it shares with no training row."""
    for case, own in grouped(cells, lambda cell: cell.case).items():
        if axes is None:
            preset = PRESETS.get(f"lockstep-{case[1]}")
            share = None if preset is None else float(preset.parts["redundancy"])
        else:
            training = [one.redundancy for one in cells if _trains(one.case, case, axes)]
            share = min(1.0, max(0.0, median(training))) if training else None
        if share is not None:
            found = plan(own[0], graphs[case[3]], share, [cell.agents for cell in own])
            yield from ((cell, share, planned) for cell, planned in zip(own, found, strict=True))


@dataclass(frozen=True)
class Planned:
    """A speedup, and output tokens over those of a single agent."""

    speedup: float
    tokens: float


def plan(cell: Cell, graph: Graph, redundancy: float, agents: Sequence[int]) -> list[Planned]:
    """Teams of so many agents, by the planner."""
    each = max(1, round(median(cell.single_tokens) / len(graph)))
    speed = each * len(graph) / median(cell.single)
    workflow = f"""
workflow: team
model: measured
models: {{measured: {{ttft: 0s, output_speed: {speed:.6g}, jitter: {cell.jitter:.4f}}}}}
crews: {{team: {{agents: 2, lockstep: true, coordination: {{redundancy: {redundancy:.4f}}}}}}}
steps:
  work: {{for_each: {{file: backlog.csv, needs: needs}}, crew: team, llm: {{output: {each}}}}}
"""
    ids = {item: str(number) for number, item in enumerate(graph)}
    backlog = "\n".join(f"{ids[item]},{' '.join(ids[need] for need in needs)}" for item, needs in graph.items())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "backlog.csv").write_text(f"id,needs\n{backlog}\n", encoding="utf-8")
        path = Path(folder, "team.yaml")
        path.write_text(workflow, encoding="utf-8")
        try:
            one, *found = compare(read_workflow(path), [1.0], [1, *agents], samples=SAMPLES).results
        except InputError as error:
            raise BadDataError(f"the graph of {', '.join(cell.case)}: {error.problems[0].message}") from None
    return [Planned(result.speedup, result.tokens.output / one.tokens.output) for result in found]


def _trains(one: Case, case: Case, axes: Axes) -> bool:
    """Whether a row of a case may be used for predictions of another: of the same mode, and nothing held out."""
    return one[1] == case[1] and all(one[axis] != case[axis] for axis in axes)


def _usual(cells: Sequence[Cell], cell: Cell, axes: Axes | None) -> float:
    """The median speedup of the mode, in the rows that a prediction may be fitted to."""
    training = [one for one in cells if _trains(one.case, cell.case, axes or ())]
    return float(np.exp(median([np.log(one.speedup) for one in training])))


def _row(name: str, cell: Cell, redundancy: float, planned: Planned, usual: float, graphs: Mapping[str, Graph]) -> Row:
    model, mode, task, graph = cell.case
    serial = chain(graphs[graph]) / len(graphs[graph])
    amdahl = 1 / (serial + (1 - serial) / cell.agents)
    speedup, tokens = planned.speedup, median(cell.tokens) / median(cell.single_tokens)
    return {
        "held out": name, "model": model, "mode": mode, "graph": graph, "agents": cell.agents, "task": task,
        "jitter": cell.jitter, "redundancy": redundancy, "predicted": speedup, "measured": cell.speedup,
        "error": log_error(speedup, cell.speedup),
        "no change": log_error(1.0, cell.speedup), "amdahl": log_error(amdahl, cell.speedup),
        "usual": log_error(usual, cell.speedup),
        "tokens": log_error(planned.tokens, tokens), "same tokens": log_error(1.0, tokens),
        "sign": (speedup > 1) == (cell.speedup > 1),
    }  # fmt: skip


def _errors(rows: Sequence[Row]) -> tuple[list[float], list[Any]]:
    return [row["error"] for row in rows], _clusters(rows)


def _signs(rows: Sequence[Row]) -> tuple[list[float], list[Any]]:
    return [float(row["sign"]) for row in rows], _clusters(rows)


def _clusters(rows: Sequence[Row]) -> list[Any]:
    return [(row["model"], row["mode"], row["graph"]) for row in rows]


def _measures(name: str, rows: Sequence[Row]) -> list[Measure]:
    errors, clusters = _errors(rows)
    goal = name != "shipped presets"
    return [
        measured(f"{name}: median |ln|", errors, clusters, most=0.27 if goal else None),
        measured(f"{name}: signs right", *_signs(rows), least=0.70 if goal else None, statistic=mean),
        measured(f"{name}: median |ln| of no change", [row["no change"] for row in rows], clusters),
        measured(f"{name}: median |ln| of Amdahl", [row["amdahl"] for row in rows], clusters),
        measured(f"{name}: median |ln| of the mode's usual speedup", [row["usual"] for row in rows], clusters),
        measured(f"{name}: median |ln| of output tokens", [row["tokens"] for row in rows], clusters),
        measured(f"{name}: the same if they did not change", [row["same tokens"] for row in rows], clusters),
        better(f"{name}: mean |ln| less than no change", errors, [row["no change"] for row in rows], clusters),
        better(f"{name}: mean |ln| less than Amdahl", errors, [row["amdahl"] for row in rows], clusters),
        better(
            f"{name}: median |ln| less than no change", errors, [row["no change"] for row in rows], clusters, median
        ),
        better(f"{name}: median |ln| less than Amdahl", errors, [row["amdahl"] for row in rows], clusters, median),
    ]


def _floor(cells: Sequence[Cell]) -> list[Measure]:
    """How far replicates agree: the speedups of two random halves of a cell's runs."""
    rng = np.random.default_rng(SEED)
    apart: list[float] = []
    same: list[bool] = []
    for cell in cells:
        if min(len(cell.seconds), len(cell.single)) < 4:
            continue
        for _ in range(HALVES):
            many, one = rng.permutation(cell.seconds), rng.permutation(cell.single)
            first, second = (median(one[at::2]) / median(many[at::2]) for at in (0, 1))
            apart.append(log_error(first, second))
            same.append((first > 1) == (second > 1))
    if not apart:
        return []
    return [
        Measure("replicates: median |ln| between halves of the runs", median(apart)),
        Measure("replicates: |ln| of a perfect prediction, half of that", median(apart) / 2),
        Measure("replicates: signs of halves that agree", float(np.mean(same))),
    ]
