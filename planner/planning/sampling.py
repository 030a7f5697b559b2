"""Simulates scenarios of one workflow on common random draws, a slice of samples at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.catalogue.profile import Profile, resolve
from planner.engine.draws import BLOCK, Samples
from planner.engine.simulation import EXACT, Graph, simulate
from planner.errors import InputError, Problem
from planner.expansion.demand import Draws, Layers
from planner.expansion.expand import expand
from planner.expansion.task_graph import TaskGraph, resized, structure
from planner.planning.detail import Detail, on_path
from planner.planning.timing import PARTS, Served, Times, times
from planner.workflow.declaration import Workflow

Floats = NDArray[np.float64]

MEMORY = 1_000_000_000
"""Bytes over which a plan is refused."""

SLICE = 200_000_000
"""Bytes that one slice of samples may take, where one sample takes less."""

STEPS = 4_000_000
"""Most task-samples in one call of the kernel, so that Ctrl-C is heard within a second or so."""

Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Cell:
    """One point of a grid before it is simulated."""

    speed: float
    sizes: Mapping[str, int]


@dataclass(eq=False)
class Sampled:
    """What was found for each cell and sample.

    seconds : (cells, N) completion times
    coordination : (cells, N) seconds of coordination on the critical path
    usd, tokens : of each structure, (N,) and (4, N); cost is None where a price is unknown
    structures : index of each cell's structure
    models : profiles that requests use
    over_context : model → share of samples in which a request exceeds its context
    """

    seconds: Floats
    coordination: Floats
    usd: list[Floats | None]
    tokens: list[Floats]
    structures: list[int]
    models: dict[str, Profile]
    over_context: dict[str, float] = field(default_factory=dict)
    detail: Detail | None = None


def profiles(workflow: Workflow, *graphs: TaskGraph) -> dict[str, Profile]:
    """The profiles that requests in these graphs use."""
    used = {model for graph in graphs for mark in graph.works if (model := mark.what.model) is not None}
    return {name: resolve(name, workflow.models) for name in sorted(used)}


def sample(
    workflow: Workflow, cells: Sequence[Cell], seed: int, samples: int, progress: Progress, detailed: bool = False
) -> Sampled:
    """Simulate every cell on the same draws. `detailed` is for a single cell. Raises InputError if it is too large."""
    graphs, structures = _graphs(workflow, cells)
    models = profiles(workflow, *graphs)
    width = _width(graphs, cells, samples, detailed)
    found = Sampled(
        np.empty((len(cells), samples)),
        np.zeros((len(cells), samples)),
        [np.empty(samples) for _ in graphs],
        [np.empty((4, samples)) for _ in graphs],
        structures,
        models,
    )
    if detailed:
        found.detail = Detail(graphs[0].works)
    sized = _sized(graphs, structures, cells)
    over = dict.fromkeys(models, 0)
    progress(0.0)
    for chosen, slice_ in _slices(seed, samples, width):
        draws = Draws(slice_, Layers.of(workflow.uncertainty))
        served = {name: Served.of(profile, slice_) for name, profile in models.items()}
        for index, graph in enumerate(graphs):
            prepared = times(graph, served, draws, detailed)
            cost = found.usd[index]
            if prepared.usd is None or cost is None:
                found.usd[index] = None
            else:
                cost[chosen] = prepared.usd
            found.tokens[index][:, chosen] = prepared.tokens
            if index == len(graphs) - 1:
                for name, largest in prepared.largest.items():
                    over[name] += int(np.sum(largest > (models[name].context or np.inf)))
            for at in _by_speed(cells, structures, index):
                _run(prepared, cells[at[0]].speed, [(cell, sized[cell]) for cell in at], found, chosen)
        progress(chosen.stop / samples)
    found.over_context = {name: count / samples for name, count in over.items() if count}
    return found


def _run(times: Times, speed: float, cells: Sequence[tuple[int, Graph]], found: Sampled, chosen: slice) -> None:
    """Schedule the cells of one structure and speed."""
    durations = times.durations(speed)
    coordination = times.part(1, speed) if len(times.fixed) == 2 else None
    rows = max(1, STEPS // max(1, durations.shape[1]))
    for cell, graph in cells:
        for low in range(0, len(durations), rows):
            part = slice(low, min(len(durations), low + rows))
            into = slice(chosen.start + part.start, chosen.start + part.stop)
            schedule = simulate(graph, durations[part], traced=coordination is not None or found.detail is not None)
            if schedule.makespan.max() >= EXACT:
                message = f"the workflow takes over {EXACT / 86400 / 365:.0f} years"
                raise InputError([Problem("too-large", message, None, "check the units of its times and speeds")])
            found.seconds[cell, into] = schedule.makespan
            if found.detail is not None:
                found.coordination[cell, into] = found.detail.add(times, speed, schedule, part)
            elif coordination is not None:
                found.coordination[cell, into] = on_path(schedule, coordination[part])


def _graphs(workflow: Workflow, cells: Sequence[Cell]) -> tuple[list[TaskGraph], list[int]]:
    """A graph for each structure among the cells, and each cell's."""
    keys: dict[tuple[int, ...], int] = {}
    graphs: list[TaskGraph] = []
    structures = []
    for cell in cells:
        key = structure(workflow, cell.sizes)
        if key not in keys:
            keys[key] = len(graphs)
            graphs.append(expand(workflow, cell.sizes))
        structures.append(keys[key])
    return graphs, structures


def _sized(graphs: Sequence[TaskGraph], structures: Sequence[int], cells: Sequence[Cell]) -> list[Graph]:
    """Each cell's graph with its pools as large as its crews; cells that differ only in speed share it."""
    known: dict[tuple[int, ...], Graph] = {}
    for index, cell in zip(structures, cells, strict=True):
        key = tuple(cell.sizes.values())
        if key not in known:
            known[key] = resized(graphs[index], cell.sizes).graph
    return [known[tuple(cell.sizes.values())] for cell in cells]


def _by_speed(cells: Sequence[Cell], structures: Sequence[int], index: int) -> list[list[int]]:
    groups: dict[float, list[int]] = {}
    for at, cell in enumerate(cells):
        if structures[at] == index:
            groups.setdefault(cell.speed, []).append(at)
    return list(groups.values())


def _slices(seed: int, samples: int, width: int) -> Iterator[tuple[slice, Samples]]:
    """The samples from 0 in slices of `width`, none across two blocks."""
    for low in range(0, samples, BLOCK):
        for first in range(low, min(low + BLOCK, samples), width):
            last = min(first + width, low + BLOCK, samples)
            yield slice(first, last), Samples(seed, low // BLOCK, first - low, last - low)


def _width(graphs: Sequence[TaskGraph], cells: Sequence[Cell], samples: int, detailed: bool) -> int:
    """Samples in a slice: a power of two that fits `SLICE`. Raises InputError where even one does not fit `MEMORY`."""
    tasks = max(len(graph.graph) for graph in graphs)
    occurrences = max(graph.occurrences for graph in graphs)
    fixed = sum(150 * len(graph.graph) + 40 * len(graph.graph.successors) + 8 * graph.occurrences for graph in graphs)
    fixed += samples * (16 * len(cells) + 32 * len(graphs))
    each = 8 * (tasks * (2 * (len(PARTS) if detailed else 2) + 4) + occurrences * 11)
    needed = fixed + each
    if needed > MEMORY:
        what = f"{tasks:,} tasks and {samples:,} samples of {len(cells)} scenarios"
        message = f"the plan needs {needed / 1e9:.1f} GB for {what}; the limit is {MEMORY / 1e9:.0f} GB"
        raise InputError([Problem("too-large", message, None, "take fewer samples or scenarios, or plan a part of it")])
    width = BLOCK
    while width > 1 and width * each > max(SLICE, each):
        width //= 2
    return width
