"""Blocks of a batch in, sums and distributions of each scenario out. Blocks must be added in order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

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
    """Adds up the results of a batch of scenarios, block by block.

    The argument `point` of the methods is the index of a scenario in the batch.

    count : number of samples so far
    seconds : for each scenario, completion times in seconds
    coordination : for each scenario, seconds of coordination on the critical path
    collector : details; None if the batch is not detailed
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
        self._usd_parts: dict[tuple[int, float], tuple[Values, Values]] = {
            self._costs[point]: (Values(), Values())
            for group in batch.groups
            if group.graph.paid
            for point in group.points
        }
        self._billed = {payer: Billing.zeros() for payer in self._payers.values()}
        self._token_moments = {payer: TokenMoments() for payer in self._billed}
        self._accepted = {group.points[0]: Values() for group in batch.groups}
        self._first_of_group = {point: group.points[0] for group in batch.groups for point in group.points}
        self._over_context = dict.fromkeys(batch.models, 0)
        self._recorded: list[Floats] = []
        self._set_drawn(False)

    def add(self, block: Block) -> None:
        """Add the results of the next block of samples."""
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
                if parts := self._usd_parts.get((payer, multiplier)):
                    parts[0].add(cost.models * multiplier)
                    parts[1].add(cost.others)
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
        parts = chain.from_iterable(self._usd_parts.values())
        for values in (*self.seconds, *self.coordination, *self._usd.values(), *parts, *self._accepted.values()):
            if values is not None:
                values.drawn = drawn

    def usd(self, point: int) -> Values | None:
        """Return the costs of a scenario in US dollars, one for each sample; None if a price is unknown.

        point : index of the scenario
        """
        return self._usd[self._costs[point]]

    def usd_parts(self, point: int) -> tuple[Values, Values] | None:
        """Return the costs of a scenario in two parts: models, and all others, that is tools, people and crews.

        Return None if only models are paid. If a price is unknown, both parts have no values.

        point : index of the scenario
        """
        return self._usd_parts.get(self._costs[point])

    def billed(self, point: int) -> Billing:
        """Return the billed amounts of a scenario, as means over samples.

        point : index of the scenario
        """
        return self._billed[self._payers[point]] / self.count

    def token_errors(self, point: int) -> tuple[float, float, float]:
        """Return the standard errors of a scenario's mean numbers of tokens.

        The order is: prefilled input, input that is read from a cache, output.

        point : index of the scenario
        """
        return self._token_moments[self._payers[point]].standard_errors

    def accepted(self, point: int) -> Values:
        """Return a number for each sample of a scenario: 0 if a failure remains at the end of the sample, otherwise 1.

        point : index of the scenario
        """
        return self._accepted[self._first_of_group[point]]

    @property
    def recorded(self) -> Floats:
        """Mean value of each recorded random stream in each of the first `KEPT` samples: (samples, streams)."""
        assert self.batch.recorded is not None
        return np.concatenate([np.empty((0, len(self.batch.recorded))), *self._recorded])[:KEPT]

    @property
    def over_context(self) -> dict[str, float]:
        """Name of a model → share of samples in which a request exceeds the model's context.

        The mapping leaves out models with a share of 0.
        """
        return {name: count / self.count for name, count in self._over_context.items() if count}


@dataclass(frozen=True, eq=False)
class ScenarioSamples:
    """Results of one scenario.

    accumulator : results of the batch that contains the scenario
    point : index of the scenario in the batch
    """

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
    def usd_parts(self) -> tuple[Values, Values] | None:
        return self.accumulator.usd_parts(self.point)

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
