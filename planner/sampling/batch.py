"""A workflow and scenarios in, a batch out: graphs, profiles and block size, to simulate them on the same draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from planner.catalogue.profile import Profile
from planner.engine.draws import Samples
from planner.engine.simulation import Graph
from planner.engine.statistics import KEPT
from planner.errors import InputError, Problem
from planner.expansion.draw.demand import Layers
from planner.expansion.expand import expand
from planner.expansion.graph.task_graph import TaskGraph, draw_key_function, resized
from planner.sampling.base_draws import BaseDraws
from planner.sampling.draws import DrawCache, RecordingSamples, Stream, StreamValues
from planner.sampling.series_wait import SeriesWait
from planner.timing.durations import Split
from planner.timing.pipeline import Pipeline
from planner.timing.service import profiles
from planner.workflow.declaration import Workflow

MEMORY = 1_000_000_000
"""Most bytes that a batch may need. A larger batch is refused."""

BLOCK = 600_000_000
"""Most bytes of all blocks that are simulated concurrently. Only blocks of a single sample may exceed this limit."""

WIDTH = 256
"""Samples in a block of a graph with many tasks. Blocks with more samples are no faster."""

WIDEST = 1024
"""Most samples in a block of a graph with few tasks. In small blocks, function calls would take most of the time."""

SMALL = 1 << 15
"""Most occurrences × samples in a block with over `WIDTH` samples."""

Key = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class GridPoint:
    """One scenario of a batch.

    speed : factor on all output speeds
    sizes : number of agents of each crew
    price_multiplier : factor on the prices of all models
    requested : whether sampling continues until the results of this scenario are precise enough
    workflow : workflow to simulate, with the same steps as the batch's workflow; None: the batch's workflow
    uncontended : whether concurrent requests are as fast as a single request
    """

    speed: float
    sizes: Mapping[str, int]
    price_multiplier: float = 1.0
    requested: bool = True
    workflow: Workflow | None = None
    uncontended: bool = False


@dataclass(frozen=True, eq=False)
class DemandGroup:
    """Scenarios of a batch that have the same demands, such as numbers of turns and of tokens.

    speed : speed for which the demands are drawn; None if the demands do not depend on speed
    requests : number of concurrent requests, if output speeds depend on this number; otherwise 1
    own_costs : whether each scenario has its own cost, because the cost depends on the schedule
    points : indices of the scenarios in the batch
    """

    graph: TaskGraph
    speed: float | None
    requests: int
    own_costs: bool
    points: list[int]

    def by_speed(self, points: Sequence[GridPoint]) -> Iterator[tuple[float, list[int]]]:
        """Yield each speed in the group, with the indices of the group's scenarios that have this speed.

        points : all scenarios of the batch
        """
        for speed in dict.fromkeys(points[index].speed for index in self.points):
            yield speed, [index for index in self.points if points[index].speed == speed]

    def payer(self, point: int) -> int:
        """Return the index of the scenario that stores the cost and tokens of the scenario `point`.

        This is the first scenario of the group, if all its scenarios have equal costs. Otherwise it is `point` itself.
        """
        return point if self.own_costs else self.points[0]


@dataclass(frozen=True, eq=False)
class Batch:
    """Scenarios of a workflow that are simulated with the same random draws.

    points : the scenarios
    groups : groups of scenarios that have the same demands
    graphs : graph of each scenario, with the scenario's numbers of agents
    models : name → profile of each model that the graphs use
    layers : spread of the random errors of estimates, per step and overall
    width : number of samples in a block, a power of two
    detailed : whether to collect details. Then the batch must have a single scenario
    waits : for each scenario, a wait for a person during which nothing else can run; None: there is no such wait
    draw_cache : cache of draws that several batches of the workflow share; None: no cache
    watched : only in the last `watched` groups, the sizes of requests are checked against the model's context limit
    recorded : streams of draws to record; None: no draws are recorded. While draws are recorded, the cache is not used
    base_draws : draws of the batch that records draws, for batches of the same workflow with a changed number; None:
        each batch makes its own draws
    """

    seed: int
    points: tuple[GridPoint, ...]
    groups: tuple[DemandGroup, ...]
    graphs: tuple[Graph, ...]
    models: Mapping[str, Profile]
    layers: Layers
    width: int
    detailed: bool
    waits: tuple[SeriesWait | None, ...]
    draw_cache: DrawCache | None = None
    watched: int = 1
    recorded: Mapping[Stream, StreamValues] | None = None
    base_draws: BaseDraws | None = None

    @classmethod
    def of(
        cls,
        workflow: Workflow,
        points: Sequence[GridPoint],
        seed: int,
        samples: int = KEPT,
        at_once: int = 1,
        detailed: bool = False,
        draw_cache: DrawCache | None = None,
    ) -> Batch:
        """Return a batch of scenarios of a workflow.

        points : the scenarios
        samples : largest number of samples that will be simulated
        at_once : number of blocks that are simulated concurrently
        detailed : whether to collect details. Then there must be a single scenario

        Raises InputError if the workflow or the batch is too large.
        """
        graphs, graph_of = _graphs(workflow, points, draw_cache)
        if detailed:
            graphs = [resized(graphs[0], points[0].sizes)]
        models = profiles(workflow, *graphs)
        return cls(
            seed,
            tuple(points),
            tuple(_groups(graphs, graph_of, points, models)),
            tuple(_sized(graphs, graph_of, points)),
            models,
            Layers.of(workflow.uncertainty),
            _width(graphs, points, min(samples, KEPT), at_once, detailed),
            detailed,
            _waits(graphs, graph_of),
            draw_cache,
        )

    def samples(self, low: int, high: int) -> Samples:
        """Return the batch's samples with the numbers `low` to `high` − 1."""
        if self.recorded is None:
            return Samples(self.seed, low, high)
        store = None if self.base_draws is None else self.base_draws.store()
        return RecordingSamples(self.seed, low, high, self.recorded, store)

    def pipeline(self, group: DemandGroup) -> Pipeline:
        """Return the pipeline that draws and schedules the samples of a group of scenarios.

        The pipeline uses the prices of the models without a multiplier.
        """
        models = {name: profile.at(group.requests) for name, profile in self.models.items()}
        return Pipeline(group.graph, models, self.layers)

    def models_of(self, point: int) -> dict[str, Profile]:
        """Return the profiles of all models of the batch, by name. Their prices are those of one scenario.

        point : index of the scenario
        """
        multiplier = self.points[point].price_multiplier
        return {name: profile.priced(multiplier) for name, profile in self.models.items()}


def _groups(
    graphs: Sequence[TaskGraph], graph_of: Sequence[int], points: Sequence[GridPoint], models: Mapping[str, Profile]
) -> list[DemandGroup]:
    slowing = any(profile.by_concurrency for profile in models.values())
    rented = any(profile.price is not None and profile.price.per_hour is not None for profile in models.values())
    groups: dict[tuple[int, float | None, int], DemandGroup] = {}
    for index, (graph_number, point) in enumerate(zip(graph_of, points, strict=True)):
        graph = graphs[graph_number]
        speed = point.speed if graph.timed else None
        requests = graph.max_open_requests(point.sizes) if slowing and not point.uncontended else 1
        own_costs = rented or bool(graph.raced.any()) or bool(graph.paid_crews)
        group = DemandGroup(graph, speed, requests, own_costs, [])
        groups.setdefault((graph_number, speed, requests), group).points.append(index)
    return list(groups.values())


def _graphs(
    workflow: Workflow, points: Sequence[GridPoint], draw_cache: DrawCache | None
) -> tuple[list[TaskGraph], list[int]]:
    """Return the task graphs that the scenarios need, and for each scenario the index of its graph.

    Scenarios that need equal graphs have the same index.

    points : the scenarios
    """
    numbers: dict[Key, int] = {}
    graphs: list[TaskGraph] = []
    graph_of = []
    workflows = {id(each): each for each in (workflow, *(point.workflow for point in points)) if each is not None}
    structure = {key: draw_key_function(each) for key, each in workflows.items()}
    for point in points:
        declared = point.workflow or workflow
        key = id(declared), structure[id(declared)](point.sizes)
        if key not in numbers:
            numbers[key] = len(graphs)
            graph = partial(expand, declared, point.sizes)
            graphs.append(draw_cache.expanded(declared, key[1], graph) if draw_cache else graph())
        graph_of.append(numbers[key])
    return graphs, graph_of


def _sized(graphs: Sequence[TaskGraph], graph_of: Sequence[int], points: Sequence[GridPoint]) -> list[Graph]:
    """Return a graph for each scenario, with the scenario's numbers of agents.

    Scenarios that differ only in speed share one graph.
    """
    sized: dict[Key, Graph] = {}
    keys = [(number, tuple(point.sizes.values())) for number, point in zip(graph_of, points, strict=True)]
    for key, point in zip(keys, points, strict=True):
        if key not in sized:
            sized[key] = resized(graphs[key[0]], point.sizes).graph
    return [sized[key] for key in keys]


def _waits(graphs: Sequence[TaskGraph], graph_of: Sequence[int]) -> tuple[SeriesWait | None, ...]:
    waits = list(map(SeriesWait.of, graphs))
    return tuple(waits[number] for number in graph_of)


def _width(graphs: Sequence[TaskGraph], points: Sequence[GridPoint], kept: int, at_once: int, detailed: bool) -> int:
    """Return the number of samples in a block.

    kept : number of samples whose results are stored
    at_once : number of blocks that are simulated concurrently

    Raises InputError if over `MEMORY` bytes are needed even with one sample in each block.
    """
    tasks = max(len(graph.graph) for graph in graphs)
    occurrences = max(graph.occurrences for graph in graphs)
    fixed = sum(150 * len(graph.graph) + 40 * len(graph.graph.successors) + 8 * graph.occurrences for graph in graphs)
    raced = any(graph.raced.any() for graph in graphs)
    fixed += kept * 8 * (6 if any(graph.paid for graph in graphs) else 4) * len(points)
    columns = (Split.PARTS if detailed else Split.COORDINATION).columns
    each = 8 * (tasks * (2 * columns + 4 + 2 * raced) + occurrences * (13 + 8 * raced))
    needed = fixed + at_once * each
    if needed > MEMORY:
        requested = sum(point.requested for point in points)
        what = f"{tasks:,} tasks of {'1 scenario' if requested == 1 else f'{requested} scenarios'}"
        message = f"the plan needs {needed / 1e9:.1f} GB for {what}; the limit is {MEMORY / 1e9:.0f} GB"
        raise InputError(
            [Problem("too-large", message, None, "take fewer scenarios, or plan only a part of the workflow")]
        )
    width = WIDTH
    while width < WIDEST and 2 * width * occurrences <= SMALL:
        width *= 2
    while width > 1 and at_once * width * each > max(BLOCK, at_once * each):
        width //= 2
    return width
