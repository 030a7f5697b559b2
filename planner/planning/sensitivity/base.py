"""The samples of a scenario in; the same results for its first samples, to compare with a changed workflow, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.engine.statistics import KEPT, Values
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.base_draws import BaseDraws
from planner.sampling.batch import WIDTH
from planner.sampling.sample import Stopping
from planner.sampling.series_wait import SeriesWait


@dataclass(frozen=True, eq=False)
class FirstSamples:
    """Results of the first samples of a scenario.

    seconds : completion times in seconds. If possible, they are smoothed over the random wait for a person
    usd : costs in US dollars; None if a price is unknown
    """

    seconds: Values
    usd: Values | None


@dataclass(frozen=True, eq=False)
class Base:
    """The unchanged scenario, with which changed workflows are compared.

    samples : all samples of the scenario
    wait : wait for a person by which completion times are smoothed; None: they are not smoothed
    seed : seed of the random draws
    width : number of samples in a block
    draws : draws of the scenario, which changed workflows reuse
    """

    samples: ScenarioSamples
    wait: SeriesWait | None
    seed: int
    width: int
    draws: BaseDraws
    _first: dict[int, FirstSamples] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of samples of the scenario."""
        return self.samples.seconds.count

    @property
    def all(self) -> FirstSamples:
        return self.first(self.count)

    def first(self, count: int) -> FirstSamples:
        """Return the results of the first `count` samples. `count` is at most `KEPT`, or the number of all samples."""
        if count not in self._first:
            raw, usd = self._values(self.samples.seconds, count), self.samples.usd
            seconds = raw if self.wait is None else self.wait.smoothed(raw, self.seed)
            self._first[count] = FirstSamples(seconds, None if usd is None else self._values(usd, count))
        return self._first[count]

    def looks(self, until: Stopping) -> Iterator[int]:
        """Yield the numbers of samples at which the precision of a change is checked. The last is that of the scenario.

        until : stopping rule of the scenario
        """
        if self.width <= WIDTH:  # graphs with few tasks are simulated quickly
            yield from (look for look in until.looks() if look < self.count and look <= KEPT)
        yield self.count

    def _values(self, values: Values, count: int) -> Values:
        if count == self.count:
            return values
        first = Values()
        first.drawn = values.drawn
        first.add(values.first[:count])
        return first
