"""Scenarios of one workflow made ready to be simulated: what they share, and what each needs of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.catalogue.profile import Profile
from planner.engine.simulation import Graph
from planner.engine.statistics import KEPT
from planner.errors import InputError, Problem
from planner.expansion.draw.demand import Layers
from planner.expansion.expand import expand
from planner.expansion.graph.task_graph import TaskGraph, resized, structures
from planner.sampling.draw_cache import DrawCache
from planner.sampling.series_wait import SeriesWait
from planner.timing.durations import PARTS
from planner.timing.service import profiles
from planner.workflow.declaration import Workflow

MEMORY = 1_000_000_000
"""Bytes over which a plan is refused."""

BLOCK = 600_000_000
"""Bytes that blocks may take which are simulated at the same time, where one sample of each takes less."""

WIDTH = 256
"""Samples in a block of a graph of many tasks: more gain nothing."""

WIDEST = 1024
"""Samples in a block of few tasks, which take less time than the calls that draw and schedule them."""

SMALL = 1 << 15
"""Most tasks times samples in a block wider than `WIDTH`."""


Key = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class GridPoint:
    """One point of a grid.

    price_multiplier : how many times what it costs at 1x a model costs here
    asked : it decides how many samples are enough; others come along
    other : it is of another workflow, which declares the same steps
    unhindered : each request is served at the speed that it has alone, however many there are
    """

    speed: float
    sizes: Mapping[str, int]
    price_multiplier: float = 1.0
    asked: bool = True
    other: Workflow | None = None
    unhindered: bool = False


@dataclass(frozen=True, eq=False)
class DemandGroup:
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

    def by_speed(self, cells: Sequence[GridPoint]) -> Iterator[tuple[float, list[int]]]:
        """Cells of each speed."""
        for speed in dict.fromkeys(cells[at].speed for at in self.cells):
            yield speed, [at for at in self.cells if cells[at].speed == speed]

    def payer(self, cell: int) -> int:
        """The cell whose cost and tokens are also those of `cell`."""
        return cell if self.alone else self.cells[0]


@dataclass(frozen=True, eq=False)
class Batch:
    """What does not depend on samples.

    graphs : of each cell, with its pools as large as its crews
    models : profiles that requests use
    width : samples in a block: a power of two
    detailed : tell where the time goes; of a single cell
    waits : of each cell, the person's wait that everything passes through, if there is one
    kept : what other plans of the workflow have drawn for its blocks, and this one will
    watched : the last so many variants are asked whether a request exceeds the context of its model
    """

    seed: int
    cells: tuple[GridPoint, ...]
    variants: tuple[DemandGroup, ...]
    graphs: tuple[Graph, ...]
    models: Mapping[str, Profile]
    layers: Layers
    width: int
    detailed: bool
    waits: tuple[SeriesWait | None, ...]
    kept: DrawCache | None = None
    watched: int = 1

    @classmethod
    def of(
        cls,
        workflow: Workflow,
        cells: Sequence[GridPoint],
        seed: int,
        samples: int = KEPT,
        at_once: int = 1,
        detailed: bool = False,
        kept: DrawCache | None = None,
    ) -> Batch:
        """Expand a workflow for each cell. Raises InputError if it is too large.

        samples : at most so many will be taken
        at_once : blocks that are simulated at the same time
        """
        graphs, structures = _graphs(workflow, cells)
        if detailed:
            graphs = [resized(graphs[0], cells[0].sizes)]
        models = profiles(workflow, *graphs)
        return cls(
            seed,
            tuple(cells),
            tuple(_variants(graphs, structures, cells, models)),
            tuple(_sized(graphs, structures, cells)),
            models,
            Layers.of(workflow.uncertainty),
            _width(graphs, cells, min(samples, KEPT), at_once, detailed),
            detailed,
            _waits(graphs, structures),
            kept,
        )

    def paid(self, cell: int) -> dict[str, Profile]:
        """Its models at the prices of a cell."""
        return {name: profile.priced(self.cells[cell].price_multiplier) for name, profile in self.models.items()}


def _variants(
    graphs: Sequence[TaskGraph], structures: Sequence[int], cells: Sequence[GridPoint], models: Mapping[str, Profile]
) -> list[DemandGroup]:
    curved = any(profile.by_concurrency for profile in models.values())
    hourly = any(profile.price is not None and profile.price.per_hour is not None for profile in models.values())
    found: dict[tuple[int, float | None, int], DemandGroup] = {}
    for at, (index, cell) in enumerate(zip(structures, cells, strict=True)):
        graph = graphs[index]
        speed = cell.speed if graph.timed else None
        requests = graph.max_open_requests(cell.sizes) if curved and not cell.unhindered else 1
        alone = hourly or bool(graph.raced.any())
        variant = DemandGroup(graph, speed, requests, alone, [])
        found.setdefault((index, speed, requests), variant).cells.append(at)
    return list(found.values())


def _graphs(workflow: Workflow, cells: Sequence[GridPoint]) -> tuple[list[TaskGraph], list[int]]:
    """A graph for each structure among the cells, and each cell's."""
    keys: dict[Key, int] = {}
    graphs: list[TaskGraph] = []
    found = []
    workflows = {id(of): of for of in (workflow, *(cell.other for cell in cells)) if of is not None}
    structure = {key: structures(of) for key, of in workflows.items()}
    for cell in cells:
        of = cell.other or workflow
        key = id(of), structure[id(of)](cell.sizes)
        if key not in keys:
            keys[key] = len(graphs)
            graphs.append(expand(of, cell.sizes))
        found.append(keys[key])
    return graphs, found


def _sized(graphs: Sequence[TaskGraph], structures: Sequence[int], cells: Sequence[GridPoint]) -> list[Graph]:
    """Each cell's graph with its pools as large as its crews; cells that differ only in speed share it."""
    known: dict[Key, Graph] = {}
    keys = [(index, tuple(cell.sizes.values())) for index, cell in zip(structures, cells, strict=True)]
    for key, cell in zip(keys, cells, strict=True):
        if key not in known:
            known[key] = resized(graphs[key[0]], cell.sizes).graph
    return [known[key] for key in keys]


def _waits(graphs: Sequence[TaskGraph], structures: Sequence[int]) -> tuple[SeriesWait | None, ...]:
    each = list(map(SeriesWait.of, graphs))
    return tuple(each[index] for index in structures)


def _width(graphs: Sequence[TaskGraph], cells: Sequence[GridPoint], kept: int, at_once: int, detailed: bool) -> int:
    """Samples in a block. Raises InputError where blocks of one do not fit `MEMORY`."""
    tasks = max(len(graph.graph) for graph in graphs)
    occurrences = max(graph.occurrences for graph in graphs)
    fixed = sum(150 * len(graph.graph) + 40 * len(graph.graph.successors) + 8 * graph.occurrences for graph in graphs)
    raced = any(graph.raced.any() for graph in graphs)
    fixed += kept * 8 * 4 * len(cells)
    each = 8 * (tasks * (2 * (len(PARTS) if detailed else 2) + 4 + 2 * raced) + occurrences * (13 + 8 * raced))
    needed = fixed + at_once * each
    if needed > MEMORY:
        asked = sum(cell.asked for cell in cells)
        what = f"{tasks:,} tasks of {'1 scenario' if asked == 1 else f'{asked} scenarios'}"
        message = f"the plan needs {needed / 1e9:.1f} GB for {what}; the limit is {MEMORY / 1e9:.0f} GB"
        raise InputError([Problem("too-large", message, None, "take fewer scenarios, or plan a part of it")])
    width = WIDTH
    while width < WIDEST and 2 * width * occurrences <= SMALL:
        width *= 2
    while width > 1 and at_once * width * each > max(BLOCK, at_once * each):
        width //= 2
    return width
