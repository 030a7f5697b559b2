"""Runs of teams and their task graphs, as `suites.teams` describes the files: CSV in, cells out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from planner.catalogue.profile import JITTER
from suites.common import BadDataError, Floats, Row, grouped, median, positive, table, whole, word

Case = tuple[str, str, str, str]
"""Model, mode, task, graph: what a single agent was measured on."""

Graph = Mapping[str, list[str]]

PRIOR = 3
"""Degrees of freedom of the planner's own jitter: sigma of so many has the quartiles of the 54 fits, a factor of 1.9
apart (docs/model.md, "Requests"). Nothing of it is read off a team."""


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
    def jitter(self) -> float:
        """Log-sd of the single agent's runs; of few runs drawn towards the planner's own, of one that itself."""
        freedom = len(self.single) - 1
        variance = float(np.var(np.log(self.single), ddof=1)) if freedom else 0.0
        return float(np.sqrt((PRIOR * JITTER**2 + freedom * variance) / (PRIOR + freedom)))

    @property
    def redundancy(self) -> float:
        """How much of a single agent's work each further agent does again, by output tokens."""
        return (median(self.tokens) / median(self.single_tokens) - 1) / (self.agents - 1)


def graphs_of(path: Path) -> dict[str, Graph]:
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


def cells_of(path: Path, graphs: Mapping[str, Graph]) -> list[Cell]:
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


def chain(graph: Graph) -> int:
    """Items of the longest chain."""
    known: dict[str, int] = {}

    def depth(item: str) -> int:
        if item not in known:
            known[item] = 1 + max(map(depth, graph[item]), default=0)
        return known[item]

    return max(map(depth, graph))
