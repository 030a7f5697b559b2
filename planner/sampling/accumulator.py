"""Blocks of a batch in, sums and distributions of each scenario out. Blocks must be added in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.smoothing import Smoothed
from planner.engine.statistics import KEPT, Values
from planner.measures.critical_path import DetailCollector
from planner.measures.moments import TokenMoments
from planner.sampling.batch import Batch
from planner.sampling.block import Block
from planner.timing.cost import Billing


class Accumulator:
    """Results of all blocks of a batch so far. A scenario is given by `point`, its index in the batch.

    count : number of samples so far
    seconds : for each point, completion times
    coordination : for each point, seconds of coordination on the critical path
    collector : details of the only point; None if the batch is not detailed
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.count = 0
        self.collector: DetailCollector | None = None
        self._waits = {wait: wait.waits() for wait in dict.fromkeys(batch.waits) if wait}
        self.seconds = [Smoothed(self._waits[wait]) if wait else Values() for wait in batch.waits]
        self.coordination = [Values() for _ in batch.points]
        self._payers = {point: group.payer(point) for group in batch.groups for point in group.points}
        self._costs = {point: (payer, batch.points[point].price_multiplier) for point, payer in self._payers.items()}
        self._usd: dict[tuple[int, float], Values | None] = {key: Values() for key in self._costs.values()}
        self._billed = {payer: Billing.zeros() for payer in self._payers.values()}
        self._token_moments = {payer: TokenMoments() for payer in self._billed}
        self._accepted = {group.points[0]: Values() for group in batch.groups}
        self._first_of_group = {point: group.points[0] for group in batch.groups for point in group.points}
        self._over_context = dict.fromkeys(batch.models, 0)
        self._recorded: list[Floats] = []
        self._set_drawn(False)

    def add(self, block: Block) -> None:
        """Add the next block."""
        assert block.low == self.count
        if block.drawn:
            self._set_drawn(True)
        samples = Samples(self.batch.seed, block.low, block.low + block.seconds.shape[1])
        for wait, waits in self._waits.items():
            waits.add(wait.drawn(samples))
        for point, (seconds, coordination) in enumerate(zip(block.seconds, block.coordination, strict=True)):
            self.seconds[point].add(seconds)
            self.coordination[point].add(coordination)
        for (payer, multiplier), values in self._usd.items():
            cost = block.usd[payer]
            if cost is None or values is None:
                self._usd[payer, multiplier] = None
            else:
                values.add(cost.at(multiplier))
        for payer, billed in block.billed.items():
            self._billed[payer] += billed.sum()
            self._token_moments[payer].add(billed)
        for point, accepted in self._accepted.items():
            accepted.add(block.accepted[point].astype(float))
        for name, count in block.over_context.items():
            self._over_context[name] += count
        if self.collector is None:
            self.collector = block.collector
        elif block.collector is not None:
            self.collector.plus(block.collector)
        if block.recorded is not None and self.count < KEPT:
            self._recorded.append(block.recorded)
        self.count += block.seconds.shape[1]

    def _set_drawn(self, drawn: bool) -> None:
        for values in (*self.seconds, *self.coordination, *self._usd.values(), *self._accepted.values()):
            if values is not None:
                values.drawn = drawn

    def usd(self, point: int) -> Values | None:
        """Return the cost of a point, in US dollars; None if a price is unknown."""
        return self._usd[self._costs[point]]

    def billed(self, point: int) -> Billing:
        """Return the mean billed amounts of a point."""
        return self._billed[self._payers[point]] / self.count

    def token_errors(self, point: int) -> tuple[float, float, float]:
        """Return standard errors of the mean tokens of a point: prefilled input, input read from a cache, output."""
        return self._token_moments[self._payers[point]].standard_errors

    def accepted(self, point: int) -> Values:
        """Return 1 for each sample of a point in which no failure remains, else 0."""
        return self._accepted[self._first_of_group[point]]

    @property
    def recorded(self) -> Floats:
        """Recorded draws of the first `KEPT` samples, (samples, streams)."""
        assert self.batch.recorded is not None
        return np.concatenate([np.empty((0, len(self.batch.recorded))), *self._recorded])[:KEPT]

    @property
    def over_context(self) -> dict[str, float]:
        """For each model, the share of samples in which a request exceeds its context. Shares of 0 are left out."""
        return {name: count / self.count for name, count in self._over_context.items() if count}


@dataclass(frozen=True, eq=False)
class ScenarioSamples:
    """All samples of one scenario, which is a point of the accumulator's batch."""

    accumulator: Accumulator
    point: int

    @property
    def seconds(self) -> Values:
        return self.accumulator.seconds[self.point]

    @property
    def coordination(self) -> Values:
        return self.accumulator.coordination[self.point]

    @property
    def usd(self) -> Values | None:
        return self.accumulator.usd(self.point)

    @property
    def billed(self) -> Billing:
        return self.accumulator.billed(self.point)

    @property
    def token_errors(self) -> tuple[float, float, float]:
        return self.accumulator.token_errors(self.point)

    @property
    def accepted(self) -> Values:
        return self.accumulator.accepted(self.point)

    @property
    def price_multiplier(self) -> float:
        return self.accumulator.batch.points[self.point].price_multiplier
