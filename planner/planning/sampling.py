"""Simulates scenarios of one workflow on common random draws, a slice of samples at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.catalogue.profile import Profile, resolve
from planner.engine.draws import Samples
from planner.engine.simulation import EXACT, Graph, simulate
from planner.errors import InputError, Problem
from planner.expansion.demand import Layers
from planner.expansion.expand import expand
from planner.expansion.task_graph import TaskGraph, resized, structure
from planner.planning.detail import on_path
from planner.planning.findings import Findings
from planner.planning.paid import billed
from planner.planning.timing import PARTS, Draws, Served, Times, times, usd
from planner.reading.curves import Curve
from planner.workflow.declaration import Workflow

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MEMORY = 1_000_000_000
"""Bytes over which a plan is refused."""

SLICE = 600_000_000
"""Bytes that one slice of samples may take, where one sample takes less."""

WIDTH = 256
"""Most samples in a slice: more gain nothing."""

STEPS = 4_000_000
"""Most task-samples in one call of the kernel, so that Ctrl-C is heard soon; a quarter where all starts are kept."""

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
    payers : for each cell, the one whose cost and tokens are also its own
    usd, tokens : of payers, (2, N) of models at 1x and of calls, or None where a price is unknown; and (4, N)
    accepted : of each cell, (N,) whether no failure is left over
    models : profiles that requests use
    over_context : model → share of samples in which a request exceeds its context
    """

    seconds: Floats
    coordination: Floats
    payers: list[int]
    usd: dict[int, Floats | None]
    tokens: dict[int, Floats]
    accepted: list[Bools]
    models: dict[str, Profile]
    over_context: dict[str, float] = field(default_factory=dict)
    findings: Findings | None = None

    def cost(self, cell: int, price_multiplier: float) -> Floats | None:
        """(N,) of a cell whose models cost so many times what they cost at 1x, or None where a price is unknown."""
        usd = self.usd[self.payers[cell]]
        return None if usd is None else usd[0] * price_multiplier + usd[1]

    def tokens_of(self, cell: int) -> Floats:
        """(4, N) of a cell."""
        return self.tokens[self.payers[cell]]


def profiles(workflow: Workflow, *graphs: TaskGraph) -> dict[str, Profile]:
    """The profiles that requests in these graphs use."""
    used = {model for graph in graphs for mark in graph.works if (model := mark.what.model) is not None}
    return {name: resolve(name, workflow.models) for name in sorted(used)}


def sample(
    workflow: Workflow, cells: Sequence[Cell], seed: int, samples: int, progress: Progress, detailed: bool = False,
) -> Sampled:  # fmt: skip
    """Simulate every cell on the same draws.

    detailed : also fill `Sampled.findings`; of a single cell

    Raises InputError if it is too large.
    """
    graphs, structures = _graphs(workflow, cells)
    models = profiles(workflow, *graphs)
    variants = _variants(graphs, structures, cells, models)
    width = _width(graphs, cells, samples, detailed, sum(variant.payers for variant in variants))
    found = Sampled(
        np.empty((len(cells), samples)),
        np.zeros((len(cells), samples)),
        [0] * len(cells),
        {},
        {},
        [np.empty(0, bool)] * len(cells),
        models,
    )
    for variant in variants:
        variant.prepare(found, samples)
    if detailed:
        found.findings = Findings(resized(graphs[0], cells[0].sizes))
    sized = _sized(graphs, structures, cells)
    over = dict.fromkeys(models, 0)
    layers = Layers.of(workflow.uncertainty)
    progress(0.0)
    for chosen, slice_ in _slices(seed, samples, width):
        draws = Draws(slice_, layers)
        for variant in variants:
            served = {name: Served.of(profile.at(variant.requests), slice_) for name, profile in models.items()}
            prepared = times(variant.graph, served, draws, variant.speed or 1.0, detailed)
            found.accepted[variant.cells[0]][chosen] = prepared.accepted
            if variant is variants[-1]:
                for name, largest in prepared.largest.items():
                    over[name] += int(np.sum(largest > (models[name].context or np.inf)))
            for speed, at in variant.by_speed(cells):
                run = _Run(variant, prepared, served, speed, found)
                run.all([(cell, sized[cell]) for cell in at], chosen)
        progress(chosen.stop / samples)
    found.over_context = {name: count / samples for name, count in over.items() if count}
    return found


@dataclass(frozen=True, eq=False)
class _Variant:
    """Cells that share what is done and what it asks for.

    speed : None: what is done does not depend on it
    requests : at a time, where speeds depend on it
    alone : each cell pays for itself, because that depends on its schedule
    """

    graph: TaskGraph
    speed: float | None
    requests: int
    alone: bool
    cells: list[int]

    @property
    def payers(self) -> int:
        """How many cells keep a cost of their own."""
        return len(self.cells) if self.alone else 1

    def prepare(self, found: Sampled, samples: int) -> None:
        """Make room. Cells that cost the same share it."""
        accepted = np.empty(samples, bool)
        for cell in self.cells:
            payer = cell if self.alone else self.cells[0]
            found.payers[cell], found.accepted[cell] = payer, accepted
            if payer == cell:
                found.usd[cell], found.tokens[cell] = np.empty((2, samples)), np.empty((4, samples))

    def by_speed(self, cells: Sequence[Cell]) -> Iterator[tuple[float, list[int]]]:
        """Cells of each speed."""
        for speed in dict.fromkeys(cells[at].speed for at in self.cells):
            yield speed, [at for at in self.cells if cells[at].speed == speed]


@dataclass(frozen=True, eq=False)
class _Run:
    """Schedules cells of one variant and speed."""

    variant: _Variant
    times: Times
    served: Mapping[str, Served]
    speed: float
    found: Sampled

    def all(self, cells: Sequence[tuple[int, Graph]], chosen: slice) -> None:
        durations = self.times.durations(self.speed)
        coordination = self.times.part(1, self.speed) if len(self.times.fixed) == 2 else None
        rows = max(1, STEPS // (4 if self.found.findings else 1) // max(1, durations.shape[1]))
        for cell, graph in cells:
            for low in range(0, len(durations), rows):
                part = slice(low, min(len(durations), low + rows))
                self.some(cell, graph, durations[part], coordination, part, chosen.start)

    def some(
        self, cell: int, graph: Graph, durations: Floats, coordination: Floats | None, part: slice, start: int
    ) -> None:
        """The samples `part` of a slice that begins with sample `start`."""
        times, found, findings = self.times, self.found, self.found.findings
        into = slice(start + part.start, start + part.stop)
        raced = bool(self.variant.graph.raced.any())
        schedule = simulate(
            graph, durations, patience=times.patience[part], away=times.away[part],
            traced=coordination is not None or findings is not None,
            recorded=raced or findings is not None,
        )  # fmt: skip
        if schedule.makespan.max() >= EXACT:
            message = f"the workflow takes over {EXACT / 86400 / 365:.0f} years"
            raise InputError([Problem("too-large", message, None, "check the units of its times and speeds")])
        found.seconds[cell, into] = schedule.makespan
        amounts = [totals.billed[:, part] for totals in times.works]
        if raced:
            amounts = billed(times, part, durations, schedule)
        if found.payers[cell] == cell:
            self.pay(cell, amounts, schedule.makespan, into)
        if findings is not None:
            on_critical = findings.add(times, self.speed, graph, schedule, part, into.start, durations, amounts)
            found.coordination[cell, into] = on_critical
        elif coordination is not None:
            found.coordination[cell, into] = on_path(schedule, coordination[part])

    def pay(self, cell: int, amounts: Sequence[Floats], seconds: Floats, into: slice) -> None:
        """Note tokens and cost."""
        works = [mark.what for mark in self.variant.graph.works]
        self.found.tokens[cell][:, into] = sum((tokens[:4] for tokens in amounts), np.zeros((4, 1)))
        cost, room = usd(works, amounts, self.served, seconds), self.found.usd[cell]
        if cost is None or room is None:
            self.found.usd[cell] = None
        else:
            room[:, into] = cost


def _variants(
    graphs: Sequence[TaskGraph], structures: Sequence[int], cells: Sequence[Cell], models: Mapping[str, Profile]
) -> list[_Variant]:
    curved = any(isinstance(profile.output_speed, Curve) for profile in models.values())
    hourly = any(profile.price is not None and profile.price.per_hour is not None for profile in models.values())
    found: dict[tuple[int, float | None, int], _Variant] = {}
    for at, (index, cell) in enumerate(zip(structures, cells, strict=True)):
        graph = graphs[index]
        speed = cell.speed if graph.timed else None
        requests = graph.requesters(cell.sizes) if curved else 1
        alone = hourly or bool(graph.raced.any())
        variant = _Variant(graph, speed, requests, alone, [])
        found.setdefault((index, speed, requests), variant).cells.append(at)
    return list(found.values())


def _graphs(workflow: Workflow, cells: Sequence[Cell]) -> tuple[list[TaskGraph], list[int]]:
    """A graph for each structure among the cells, and each cell's."""
    keys: dict[tuple[int, ...], int] = {}
    graphs: list[TaskGraph] = []
    structures = []
    found: dict[tuple[int, ...], tuple[int, ...]] = {}  # scenarios that differ in speed have the same sizes
    for cell in cells:
        sizes = tuple(cell.sizes.values())
        if sizes not in found:
            found[sizes] = structure(workflow, cell.sizes)
        key = found[sizes]
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
    """The samples from 0 in slices of `width`."""
    for low in range(0, samples, width):
        high = min(low + width, samples)
        yield slice(low, high), Samples(seed, low, high)


def _width(graphs: Sequence[TaskGraph], cells: Sequence[Cell], samples: int, detailed: bool, kept: int) -> int:
    """Samples in a slice: a power of two that fits `SLICE`. Raises InputError where even one does not fit `MEMORY`.

    kept : cells that keep a cost of their own
    """
    tasks = max(len(graph.graph) for graph in graphs)
    occurrences = max(graph.occurrences for graph in graphs)
    fixed = sum(150 * len(graph.graph) + 40 * len(graph.graph.successors) + 8 * graph.occurrences for graph in graphs)
    raced = any(graph.raced.any() for graph in graphs)
    fixed += samples * (16 * len(cells) + 49 * kept) + 40 * detailed * max(tasks, min(STEPS // 4, tasks * samples))
    each = 8 * (tasks * (2 * (len(PARTS) if detailed else 2) + 4 + 2 * raced) + occurrences * (13 + 8 * raced))
    needed = fixed + each
    if needed > MEMORY:
        scenarios = "1 scenario" if len(cells) == 1 else f"{len(cells)} scenarios"
        what = f"{tasks:,} tasks and {samples:,} samples of {scenarios}"
        message = f"the plan needs {needed / 1e9:.1f} GB for {what}; the limit is {MEMORY / 1e9:.0f} GB"
        raise InputError([Problem("too-large", message, None, "take fewer samples or scenarios, or plan a part of it")])
    width = WIDTH
    while width > 1 and width * each > max(SLICE, each):
        width //= 2
    return width
