"""Simulates scenarios of one workflow on common random draws, a slice of samples at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.catalogue.profile import Profile, resolve
from planner.engine.draws import BLOCK, Samples
from planner.engine.simulation import EXACT, Graph, simulate
from planner.errors import InputError, Problem
from planner.expansion.demand import Layers
from planner.expansion.expand import expand
from planner.expansion.task_graph import TaskGraph, resized, structure
from planner.planning.detail import Detail, on_path
from planner.planning.paid import billed
from planner.planning.timing import PARTS, Draws, Served, Times, times, usd
from planner.workflow.declaration import Workflow

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MEMORY = 1_000_000_000
"""Bytes over which a plan is refused."""

SLICE = 600_000_000
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
    usd, tokens : of each cell, (N,) and (4, N); cost is None where a price is unknown
    accepted : of each cell, (N,) whether no failure is left over
    models : profiles that requests use
    over_context : model → share of samples in which a request exceeds its context
    """

    seconds: Floats
    coordination: Floats
    usd: list[Floats | None]
    tokens: list[Floats]
    accepted: list[Bools]
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
    variants = _variants(graphs, structures, cells)
    width = _width(graphs, cells, samples, detailed)
    found = Sampled(
        np.empty((len(cells), samples)),
        np.zeros((len(cells), samples)),
        [None] * len(cells),
        [np.empty(0)] * len(cells),
        [np.empty(0, bool)] * len(cells),
        models,
    )
    for variant in variants:
        variant.prepare(found, samples)
    if detailed:
        found.detail = Detail(graphs[0].works)
    sized = _sized(graphs, structures, cells)
    over = dict.fromkeys(models, 0)
    layers = Layers.of(workflow.uncertainty)
    progress(0.0)
    for chosen, slice_ in _slices(seed, samples, width):
        draws = Draws(slice_, layers)
        served = {name: Served.of(profile, slice_) for name, profile in models.items()}
        for variant in variants:
            prepared = times(variant.graph, served, draws, variant.speed or 1.0, detailed)
            variant.add(found, prepared, served, chosen)
            if variant is variants[-1]:
                for name, largest in prepared.largest.items():
                    over[name] += int(np.sum(largest > (models[name].context or np.inf)))
            for speed, at in variant.by_speed(cells):
                _run(variant, prepared, served, speed, [(cell, sized[cell]) for cell in at], found, chosen)
        progress(chosen.stop / samples)
    found.over_context = {name: count / samples for name, count in over.items() if count}
    return found


@dataclass(frozen=True, eq=False)
class _Variant:
    """Cells that share what is done and what it asks for.

    speed : None: what is done does not depend on it
    """

    graph: TaskGraph
    speed: float | None
    cells: list[int]

    @cached_property
    def raced(self) -> bool:
        """Whether something may be cancelled, so that what is paid depends on the schedule."""
        return bool(self.graph.raced.any())

    def prepare(self, found: Sampled, samples: int) -> None:
        """Make room. Cells share arrays that are the same for all of them."""
        accepted = np.empty(samples, bool)
        for number, cell in enumerate(self.cells):
            alike = number > 0 and not self.raced
            found.usd[cell] = found.usd[self.cells[0]] if alike else np.empty(samples)
            found.tokens[cell] = found.tokens[self.cells[0]] if alike else np.empty((4, samples))
            found.accepted[cell] = accepted

    def add(self, found: Sampled, prepared: Times, served: Mapping[str, Served], chosen: slice) -> None:
        """Note what does not depend on the schedule."""
        found.accepted[self.cells[0]][chosen] = prepared.accepted
        if not self.raced:
            self.pay(found, self.cells, [totals.billed for totals in prepared.works], served, chosen)

    def pay(
        self, found: Sampled, cells: Sequence[int], billed: Sequence[Floats], served: Mapping[str, Served], into: slice
    ) -> None:
        """Note tokens and cost of cells that share them."""
        works = [mark.what for mark in self.graph.works]
        found.tokens[cells[0]][:, into] = sum((amounts[:4] for amounts in billed), np.zeros((4, 1)))
        cost, room = usd(works, billed, served), found.usd[cells[0]]
        if cost is not None and room is not None:
            room[into] = cost
        else:
            for cell in cells:
                found.usd[cell] = None

    def by_speed(self, cells: Sequence[Cell]) -> Iterator[tuple[float, list[int]]]:
        """Cells of each speed."""
        for speed in dict.fromkeys(cells[at].speed for at in self.cells):
            yield speed, [at for at in self.cells if cells[at].speed == speed]


def _run(
    variant: _Variant, times: Times, served: Mapping[str, Served], speed: float, cells: Sequence[tuple[int, Graph]],
    found: Sampled, chosen: slice,
) -> None:  # fmt: skip
    """Schedule the cells of one variant and speed."""
    durations = times.durations(speed)
    coordination = times.part(1, speed) if len(times.fixed) == 2 else None
    rows = max(1, STEPS // max(1, durations.shape[1]))
    detail = found.detail
    recorded = variant.raced or (detail is not None and times.away.size > 0)
    for cell, graph in cells:
        for low in range(0, len(durations), rows):
            part = slice(low, min(len(durations), low + rows))
            into = slice(chosen.start + part.start, chosen.start + part.stop)
            schedule = simulate(
                graph, durations[part], patience=times.patience[part], away=times.away[part],
                traced=coordination is not None or detail is not None, recorded=recorded,
            )  # fmt: skip
            if schedule.makespan.max() >= EXACT:
                message = f"the workflow takes over {EXACT / 86400 / 365:.0f} years"
                raise InputError([Problem("too-large", message, None, "check the units of its times and speeds")])
            found.seconds[cell, into] = schedule.makespan
            amounts = [totals.billed[:, part] for totals in times.works]
            if variant.raced:
                amounts = billed(times, part, durations[part], schedule)
                variant.pay(found, [cell], amounts, served, into)
            if detail is not None:
                found.coordination[cell, into] = detail.add(times, speed, schedule, part, durations[part], amounts)
            elif coordination is not None:
                found.coordination[cell, into] = on_path(schedule, coordination[part])


def _variants(graphs: Sequence[TaskGraph], structures: Sequence[int], cells: Sequence[Cell]) -> list[_Variant]:
    found: dict[tuple[int, float | None], _Variant] = {}
    for at, (index, cell) in enumerate(zip(structures, cells, strict=True)):
        speed = cell.speed if graphs[index].timed else None
        found.setdefault((index, speed), _Variant(graphs[index], speed, [])).cells.append(at)
    return list(found.values())


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
    raced = any(graph.raced.any() for graph in graphs)
    kept = len(cells) if raced or any(graph.timed for graph in graphs) else len(graphs)
    fixed += samples * (16 * len(cells) + 41 * kept)
    each = 8 * (tasks * (2 * (len(PARTS) if detailed else 2) + 4 + 2 * raced) + occurrences * (13 + 8 * raced))
    needed = fixed + each
    if needed > MEMORY:
        scenarios = "1 scenario" if len(cells) == 1 else f"{len(cells)} scenarios"
        what = f"{tasks:,} tasks and {samples:,} samples of {scenarios}"
        message = f"the plan needs {needed / 1e9:.1f} GB for {what}; the limit is {MEMORY / 1e9:.0f} GB"
        raise InputError([Problem("too-large", message, None, "take fewer samples or scenarios, or plan a part of it")])
    width = BLOCK
    while width > 1 and width * each > max(SLICE, each):
        width //= 2
    return width
