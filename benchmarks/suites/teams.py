"""Teams of agents in rounds: from the task graph, the mode and runs of a single agent to the speedup of n agents.

Two CSV files, in this order. Runs, one a row:

    model          name of the model
    mode           how work is divided: `decentralized` (agents claim items) or `preassigned`; any name will do
    task           what was worked on; graphs of one task are alike in kind
    graph          the task graph of the run, as in the second file
    agents         1, 2, ...; every model, mode and graph needs runs of 1
    seconds        completion time, wall clock
    output_tokens  of all agents together

Task graphs, an item a row:

    graph  its name
    item   a name within the graph
    needs  items of the graph that must end before, with spaces between; empty: none

What is predicted from what: the graph is a backlog of items of equal size, whose tokens and speed are medians of the
single agent's runs of the same model, mode and graph; the team is a crew in lockstep. Its one parameter, `redundancy`,
is the median of (output tokens of n agents / of one - 1) / (n - 1) over the runs of other models, or of other tasks:
tokens, never seconds, and never of what is predicted. The speedup is that of `planner compare`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from planner.errors import InputError
from planner.planning.comparison import compare
from planner.workflow.presets import PRESETS
from planner.workflow.read import read_workflow
from suites.common import (
    DATA,
    SEED,
    BadDataError,
    Floats,
    Measure,
    Report,
    Row,
    better,
    grouped,
    log_error,
    mean,
    measured,
    median,
    positive,
    table,
    whole,
    word,
)

FILES = (DATA / "teams_runs.csv", DATA / "teams_graphs.csv")
SAMPLES = 100
HALVES = 100

Case = tuple[str, str, str, str]
"""Model, mode, task, graph: what a single agent was measured on."""

Graph = Mapping[str, list[str]]


@dataclass(frozen=True)
class Cell:
    """Runs of so many agents. seconds, tokens: of each run; single, single_tokens: of the same case's single agent."""

    case: Case
    agents: int
    seconds: Floats
    tokens: Floats
    single: Floats
    single_tokens: Floats

    @property
    def speedup(self) -> float:
        return median(self.single) / median(self.seconds)

    @property
    def redundancy(self) -> float:
        """How much of a single agent's work each further agent does again, by output tokens."""
        return (median(self.tokens) / median(self.single_tokens) - 1) / (self.agents - 1)


def run(files: Sequence[Path]) -> Report:
    """Predict each cell without its model, without its task, and with the presets that the planner ships."""
    if len(files) != 2:
        raise BadDataError("teams takes two files: runs and task graphs")
    graphs = _graphs(files[1])
    cells = _cells(files[0], graphs)
    rows: list[Row] = []
    measures: list[Measure] = []
    for name, axis in (("other models", 0), ("other tasks", 2), ("shipped presets", None)):
        predicted = list(_predicted(cells, graphs, axis))
        if not predicted:
            continue
        found = [
            _row(name, cell, share, planned, _usual(cells, cell, axis), graphs) for cell, share, planned in predicted
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
        "Rows of 'shipped presets' are not held out where the data is the one that the presets are fitted to.",
    ))  # fmt: skip


def _graphs(path: Path) -> dict[str, Graph]:
    rows = table(path, {"graph": word, "item": word, "needs": str.split})
    found: dict[str, Graph] = {
        name: {row["item"]: row["needs"] for row in items}
        for name, items in grouped(rows, lambda row: row["graph"]).items()
    }
    for name, graph in found.items():
        for item, needs in graph.items():
            for need in needs:
                if need not in graph:
                    raise BadDataError(f"{path}: '{item}' of '{name}' needs '{need}', which is not an item of it")
    return found


def _cells(path: Path, graphs: Mapping[str, Graph]) -> list[Cell]:
    columns = {
        "model": word, "mode": word, "task": word, "graph": word, "agents": whole, "seconds": positive,
        "output_tokens": positive,
    }  # fmt: skip
    rows = table(path, columns)
    cells = []
    for case, runs in grouped(rows, lambda row: (row["model"], row["mode"], row["task"], row["graph"])).items():
        if case[3] not in graphs:
            raise BadDataError(f"{path}: there is no task graph '{case[3]}'")
        by = {agents: (_of(some, "seconds"), _of(some, "output_tokens")) for agents, some in
              grouped(runs, lambda row: row["agents"]).items()}  # fmt: skip
        if 1 not in by:
            raise BadDataError(f"{path}: no run of a single agent of {', '.join(case)}")
        cells += [Cell(case, agents, *by[agents], *by[1]) for agents in sorted(by) if agents > 1]
    if not cells:
        raise BadDataError(f"{path}: no run of several agents")
    return cells


def _of(rows: Sequence[Row], name: str) -> Floats:
    return np.array([row[name] for row in rows], float)


def _predicted(
    cells: Sequence[Cell], graphs: Mapping[str, Graph], axis: int | None
) -> Iterator[tuple[Cell, float, Planned]]:
    """Each cell with its redundancy and what is predicted. axis: of a case, what it shares with no training row."""
    for case, own in grouped(cells, lambda cell: cell.case).items():
        if axis is None:
            preset = PRESETS.get(f"lockstep-{case[1]}")
            share = None if preset is None else float(preset.parts["redundancy"])
        else:
            training = [cell.redundancy for cell in cells if cell.case[1] == case[1] and cell.case[axis] != case[axis]]
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
models: {{measured: {{ttft: 0s, output_speed: {speed:.6g}}}}}
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


def _usual(cells: Sequence[Cell], cell: Cell, axis: int | None) -> float:
    """The median speedup of the mode, in the rows that a prediction may be fitted to."""
    training = [
        one for one in cells if one.case[1] == cell.case[1] and (axis is None or one.case[axis] != cell.case[axis])
    ]
    return float(np.exp(median([np.log(one.speedup) for one in training])))


def _row(name: str, cell: Cell, redundancy: float, planned: Planned, usual: float, graphs: Mapping[str, Graph]) -> Row:
    model, mode, task, graph = cell.case
    serial = _depth(graphs[graph]) / len(graphs[graph])
    amdahl = 1 / (serial + (1 - serial) / cell.agents)
    speedup, tokens = planned.speedup, median(cell.tokens) / median(cell.single_tokens)
    return {
        "held out": name, "model": model, "mode": mode, "graph": graph, "agents": cell.agents, "task": task,
        "redundancy": redundancy, "predicted": speedup, "measured": cell.speedup,
        "error": log_error(speedup, cell.speedup),
        "no change": log_error(1.0, cell.speedup), "amdahl": log_error(amdahl, cell.speedup),
        "usual": log_error(usual, cell.speedup),
        "tokens": log_error(planned.tokens, tokens), "same tokens": log_error(1.0, tokens),
        "sign": (speedup > 1) == (cell.speedup > 1),
    }  # fmt: skip


def _depth(graph: Graph) -> int:
    """Items of the longest chain."""
    known: dict[str, int] = {}

    def depth(item: str) -> int:
        if item not in known:
            known[item] = 1 + max(map(depth, graph[item]), default=0)
        return known[item]

    return max(map(depth, graph))


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
