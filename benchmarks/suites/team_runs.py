"""Runs of teams and their task graphs, as `suites.teams` describes the files: CSV in, cells out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from planner.catalogue import JITTER
from suites.common import BadDataError, Floats, Row, count, grouped, median, positive, table, word

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
    """Task graphs, whatever the order of their rows: first what most items wait for, one after the other."""
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
        found[name] = _ordered(graph, f"{path}: '{name}'")
    return found


def _ordered(graph: Graph, place: str) -> Graph:
    before, after = _chains(graph, place), _chains(_turned(graph), place)
    return {item: graph[item] for item in sorted(graph, key=lambda item: (-after[item], -before[item], _natural(item)))}


def _natural(name: str) -> list[tuple[int, str]]:
    """A key by which `task-10` follows `task-9`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _turned(graph: Graph) -> Graph:
    """The same with all arrows turned round."""
    turned: dict[str, list[str]] = {item: [] for item in graph}
    for item, needs in graph.items():
        for need in needs:
            turned[need].append(item)
    return turned


def _chains(graph: Graph, place: str) -> dict[str, int]:
    """Items of the longest chain that ends with each. Raises BadDataError where items need each other in a circle."""
    longest: dict[str, int] = {}
    waiting = {item: len(needs) for item, needs in graph.items()}
    users, ready = _turned(graph), [item for item, needs in graph.items() if not needs]
    for item in ready:
        longest[item] = 1 + max((longest[need] for need in graph[item]), default=0)
        for user in users[item]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(longest) < len(graph):
        raise BadDataError(f"{place}: items need each other in a circle")
    return longest


def chain(graph: Graph) -> int:
    """Items of the longest chain."""
    return max(_chains(graph, "the graph").values())


def cells_of(path: Path, graphs: Mapping[str, Graph]) -> tuple[list[Cell], list[Case]]:
    """Cells, and cases without a run of a single agent, which have none."""
    columns = {
        "model": word, "mode": word, "task": word, "graph": word, "agents": count, "seconds": positive,
        "output_tokens": positive,
    }  # fmt: skip
    rows = table(path, columns)
    cells: list[Cell] = []
    without: list[Case] = []
    for case, runs in grouped(rows, lambda row: (row["model"], row["mode"], row["task"], row["graph"])).items():
        if case[3] not in graphs:
            raise BadDataError(f"{path}: there is no task graph '{case[3]}'")
        by = {agents: (_of(some, "seconds"), _of(some, "output_tokens")) for agents, some in
              grouped(runs, lambda row: row["agents"]).items()}  # fmt: skip
        if 1 in by:
            cells += [Cell(case, agents, *by[agents], *by[1]) for agents in sorted(by) if agents > 1]
        else:
            without.append(case)
    if not cells:
        missing = f"a single agent of {', '.join(without[0])}" if without else "several agents"
        raise BadDataError(f"{path}: no run of {missing}")
    return cells, without


def _of(rows: Sequence[Row], name: str) -> Floats:
    return np.array([row[name] for row in rows], float)
