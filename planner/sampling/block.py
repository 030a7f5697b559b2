"""A batch and a range of samples in; a block with the results of these samples in every scenario out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.engine.simulation import EXACT
from planner.errors import InputError, Problem
from planner.expansion.draw.demand_draws import DemandCache
from planner.measures.critical_path import DetailCollector
from planner.sampling.batch import Batch, DemandGroup
from planner.sampling.draws import RecordingSamples
from planner.timing.cost import Billing, Cost
from planner.timing.durations import SampleDemands, Split
from planner.timing.pipeline import ScheduledSamples, TimedSamples
from planner.timing.service import serving_traits

STEPS = 4_000_000
"""Most tasks × samples in a kernel call, so that Ctrl-C is noticed soon. With details, a quarter of this number."""


@dataclass(frozen=True, eq=False)
class Block:
    """Results of S successive samples, for all scenarios of a batch.

    low : number of the first sample
    seconds : (scenarios, S) completion times
    coordination : (scenarios, S) seconds of coordination on the critical path
    accepted : (scenarios, S) False if a failure remains at the end, otherwise True
    usd : index of a scenario → its costs, without the price multiplier; None if a price is unknown. Of several
        scenarios that must have equal costs, only the first has an entry
    billed : index of a scenario → billed amounts of all its work. The same scenarios as in `usd` have entries
    over_context : name of a model → number of samples in which a request exceeds the model's context
    collector : critical path, drag and utilisation of each step; None if the batch does not collect these details
    recorded : (S, streams) mean value of each recorded random stream; None if no draws are recorded
    drawn : whether any random number was drawn
    """

    low: int
    seconds: Floats
    coordination: Floats
    accepted: Bools
    usd: dict[int, Cost | None] = field(default_factory=dict)
    billed: dict[int, Billing] = field(default_factory=dict)
    over_context: dict[str, int] = field(default_factory=dict)
    collector: DetailCollector | None = None
    recorded: Floats | None = None
    drawn: bool = True


class CancelledError(Exception):
    """Raised to stop the simulation of a block whose results are no longer needed."""


def never() -> bool:
    """Return False. As the default of an argument `cancelled`, it means that a simulation is never cancelled."""
    return False


def simulate_blocks(
    batches: Sequence[Batch], low: int, high: int, cancelled: Callable[[], bool] = never
) -> list[Block]:
    """Simulate the samples `low` to `high` − 1 of each batch. Return one block of results for each batch.

    cancelled : function that returns True to cancel the simulation. Then CancelledError is raised soon

    Raises InputError if the duration of a task or of the workflow is too long.
    """
    return list(_blocks(batches, low, high, cancelled))


def _blocks(batches: Sequence[Batch], low: int, high: int, cancelled: Callable[[], bool]) -> Iterator[Block]:
    demands: DemandCache = {}
    traits_before = None
    drawn = False
    for batch in batches:
        traits = {serving_traits(profile) for profile in batch.models.values()}, batch.layers
        demands, traits_before = demands if traits == traits_before else {}, traits  # old demands would take memory
        block = simulate_block(batch, low, high, demands, cancelled)
        drawn = drawn or block.drawn  # demands that an earlier batch drew are not drawn again
        yield replace(block, drawn=drawn)


def simulate_block(
    batch: Batch, low: int, high: int, demands: DemandCache | None = None, cancelled: Callable[[], bool] = never
) -> Block:
    """Simulate the samples `low` to `high` − 1 for every scenario of a batch.

    demands : demands that are already drawn for these samples. Missing demands are drawn and added
    cancelled : function that returns True to cancel the simulation. Then CancelledError is raised soon

    Raises InputError if the duration of a task or of the workflow is too long.
    """
    samples, base = batch.samples(low, high), batch.base_draws
    shape = len(batch.points), len(samples)
    collector = DetailCollector(batch.groups[0].graph, batch.models_of(0)) if batch.detailed else None
    block = Block(low, np.empty(shape), np.zeros(shape), np.empty(shape, bool), collector=collector)
    cache = batch.draw_cache if batch.recorded is None else None
    drawn_before = base.draws(samples, batch.layers) if base and batch.recorded is None else None
    if cache:
        draws = cache.draws(samples, batch.layers)
    else:
        draws = drawn_before or SampleDemands(samples, batch.layers, {} if demands is None else demands)
    try:
        _fill(block, batch, draws, cancelled)
    finally:  # the graphs' declarations identify demands, so the cache keeps the graphs alive
        if cache:
            cache.keep(draws, (group.graph for group in batch.groups))
    if base and isinstance(draws.samples, RecordingSamples):
        base.keep(draws, draws.samples.store, batch.groups[0].graph)
    return replace(block, recorded=_recorded(batch, draws), drawn=bool(draws.samples.drawn))


def _recorded(batch: Batch, draws: SampleDemands) -> Floats | None:
    if not isinstance(draws.samples, RecordingSamples):
        return None
    means = [draws.samples.mean(stream) for stream in draws.samples.streams]
    return np.stack(means, 1) if means else np.empty((len(draws.samples), 0))


def _fill(block: Block, batch: Batch, draws: SampleDemands, cancelled: Callable[[], bool]) -> None:
    largest: dict[str, Floats] = {}
    for number, group in enumerate(batch.groups):
        draw = partial(batch.pipeline(group).complete, draws, group.speed or 1.0, batch.detailed)
        cache = None if batch.recorded is not None or batch.detailed else batch.draw_cache
        key = group.speed, group.requests
        drawn = cache.times(draws.samples, group.graph, key, draw) if cache else draw()
        block.accepted[group.points] = drawn.times.accepted
        if number >= len(batch.groups) - batch.watched:
            for model, tokens in drawn.times.largest.items():
                largest[model] = np.maximum(largest.get(model, 0.0), tokens)
        for speed, points in group.by_speed(batch.points):
            _Filling(block, batch, group, drawn.at(speed), cancelled).fill(points)
    for model, tokens in largest.items():
        block.over_context[model] = int(np.sum(tokens > (batch.models[model].context or np.inf)))


@dataclass(frozen=True, eq=False)
class _Filling:
    """Schedules the scenarios of one group at one speed, and writes the results to a block."""

    block: Block
    batch: Batch
    group: DemandGroup
    timed: TimedSamples
    cancelled: Callable[[], bool]

    def fill(self, points: Sequence[int]) -> None:
        times, durations = self.timed.drawn.times, self.timed.durations
        coordination = times.coordination(self.timed.speed) if times.split is Split.COORDINATION else None
        height = max(1, STEPS // (4 if self.block.collector else 1) // max(1, durations.shape[1]))
        for point in points:
            for low in range(0, len(durations), height):
                if self.cancelled():
                    raise CancelledError
                self._fill_rows(point, slice(low, min(len(durations), low + height)), coordination)

    def _fill_rows(self, point: int, rows: slice, coordination: Floats | None) -> None:
        """Schedule some samples of a scenario, and write the results to the block.

        point : index of the scenario
        rows : positions of the samples in the block
        coordination : seconds of coordination in each sample and task; None if they are not needed
        """
        block, collector = self.block, self.block.collector
        run = self.timed.schedule(
            rows, self.batch.graphs[point],
            traced=coordination is not None or collector is not None,
            recorded=self.group.graph.recorded or collector is not None,
        )  # fmt: skip
        if run.seconds.max() >= EXACT:
            message = f"the workflow takes over {EXACT / 86400 / 365:.0f} years"
            raise InputError([Problem("too-large", message, None, "check the units of its times and speeds")])
        block.seconds[point, rows] = run.seconds
        if self.group.payer(point) == point:
            self._bill(point, rows, run)
        if collector is not None:
            block.coordination[point, rows] = collector.add(run)
        elif coordination is not None:
            on_critical = coordination[rows] * run.schedule.critical[:, run.times.coordinating]
            block.coordination[point, rows] = on_critical.sum(1)

    def _bill(self, point: int, rows: slice, run: ScheduledSamples) -> None:
        block, width = self.block, self.block.seconds.shape[1]
        block.billed.setdefault(point, Billing.zeros(width))[rows] = sum(run.billed, Billing.zeros(1))
        cost = run.cost()
        if cost is None:
            block.usd[point] = None
            return
        total = block.usd.setdefault(point, Cost(np.empty(width), np.empty(width)))
        assert total is not None
        total.models[rows], total.others[rows] = cost.models, cost.others
