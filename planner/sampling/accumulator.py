"""What is known of the scenarios of a plan after so many samples: blocks in, in their order; distributions out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.smoothing import Smoothed
from planner.engine.statistics import Values
from planner.measures.collector import DetailCollector
from planner.measures.moments import TokenMoments
from planner.sampling.batch import Batch
from planner.sampling.block import Block


class Accumulator:
    """Sums and distributions over all blocks so far.

    seconds, coordination : of each cell, completion time, and seconds of coordination on the critical path
    findings : where the time goes, if it is asked for
    """

    def __init__(self, plan: Batch) -> None:
        cells = range(len(plan.cells))
        self.plan = plan
        self.count = 0
        self._waits = {wait: wait.waits() for wait in dict.fromkeys(plan.waits) if wait}
        self.seconds = [Smoothed(self._waits[wait]) if wait else Values() for wait in plan.waits]
        self.coordination = [Values() for _ in cells]
        self.findings: DetailCollector | None = None
        self._payers = {at: variant.payer(at) for variant in plan.variants for at in variant.cells}
        costs = {at: (payer, plan.cells[at].price_multiplier) for at, payer in self._payers.items()}
        self._costs = costs
        self._usd: dict[tuple[int, float], Values | None] = {key: Values() for key in costs.values()}
        self._tokens = {payer: np.zeros(4) for payer in self._payers.values()}
        self._token_moments = {payer: TokenMoments() for payer in self._tokens}
        self._accepted = {variant.cells[0]: Values() for variant in plan.variants}
        self._leaders = {at: variant.cells[0] for variant in plan.variants for at in variant.cells}
        self._over = dict.fromkeys(plan.models, 0)
        self._set_drawn(False)

    def add(self, block: Block) -> None:
        """Add the next block."""
        assert block.low == self.count
        if block.drawn:
            self._set_drawn(True)
        samples = Samples(self.plan.seed, block.low, block.low + block.seconds.shape[1])
        for wait, waits in self._waits.items():
            waits.add(wait.drawn(samples))
        for cell, (seconds, coordination) in enumerate(zip(block.seconds, block.coordination, strict=True)):
            self.seconds[cell].add(seconds)
            self.coordination[cell].add(coordination)
        for (payer, multiplier), found in self._usd.items():
            usd = block.usd[payer]
            if usd is None or found is None:
                self._usd[payer, multiplier] = None
            else:
                found.add(usd[0] * multiplier + usd[1])
        for payer, tokens in block.tokens.items():
            self._tokens[payer] += tokens.sum(1)
            self._token_moments[payer].add(tokens)
        for cell, accepted in self._accepted.items():
            accepted.add(block.accepted[cell].astype(float))
        for name, count in block.over_context.items():
            self._over[name] += count
        if self.findings is None:
            self.findings = block.findings
        elif block.findings is not None:
            self.findings.plus(block.findings)
        self.count += block.seconds.shape[1]

    def _set_drawn(self, drawn: bool) -> None:
        for values in (*self.seconds, *self.coordination, *self._usd.values(), *self._accepted.values()):
            if values is not None:
                values.drawn = drawn

    def usd(self, cell: int) -> Values | None:
        """Cost of a cell; None where a price is unknown."""
        return self._usd[self._costs[cell]]

    def tokens(self, cell: int) -> Floats:
        """(4,) mean tokens of a cell as billed: input, written to a cache, read from a cache, output."""
        return self._tokens[self._payers[cell]] / self.count

    def token_errors(self, cell: int) -> tuple[float, float, float]:
        """Standard errors of mean tokens: of input, of what is read from a cache, of output."""
        return self._token_moments[self._payers[cell]].standard_errors

    def accepted(self, cell: int) -> Values:
        """1 where no failure is left over, else 0."""
        return self._accepted[self._leaders[cell]]

    @property
    def over_context(self) -> dict[str, float]:
        """Model → share of samples in which a request exceeds its context, if there are any."""
        return {name: count / self.count for name, count in self._over.items() if count}


@dataclass(frozen=True, eq=False)
class ScenarioSamples:
    """A cell of a plan that was simulated."""

    sampled: Accumulator
    cell: int

    @property
    def seconds(self) -> Values:
        return self.sampled.seconds[self.cell]

    @property
    def coordination(self) -> Values:
        return self.sampled.coordination[self.cell]

    @property
    def usd(self) -> Values | None:
        return self.sampled.usd(self.cell)

    @property
    def accepted(self) -> Values:
        return self.sampled.accepted(self.cell)
