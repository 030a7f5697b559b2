"""Samples of a scenario, and chances that one scenario beats another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.intervals import Interval, ratio_of_means, share
from planner.engine.statistics import Values
from planner.planning.results import Scenario


@dataclass(frozen=True, eq=False)
class ScenarioValues:
    """Samples of a scenario.

    All scenarios of a comparison use the same random draws, so that their samples can be paired.

    seconds : completion times
    usd : costs in US dollars; None if unknown
    accepted : 1 if the result of a sample is accepted, otherwise 0
    """

    seconds: Values
    usd: Values | None
    accepted: Values

    @property
    def p50(self) -> float:
        return self.seconds.quantile(0.5)


@dataclass(frozen=True)
class PairwiseChance:
    """The chance that the scenario `one` is quicker than the scenario `other`.

    quicker : share of samples in which `one` is quicker than `other`
    equal : share of samples in which `one` and `other` take the same time
    """

    one: Scenario
    other: Scenario
    quicker: Interval
    equal: float


@dataclass(frozen=True)
class BreakEvenSuccess:
    """The success rates at which a scenario is as good as one agent at the declared speed.

    chance : success rate of one agent at the declared speed
    by_time : success rate at which the mean time per accepted result equals that of one agent; above 1 if no success
        rate is enough
    by_usd : success rate at which the mean cost per accepted result equals that of one agent; None if a cost is unknown
    """

    scenario: Scenario
    chance: float
    by_time: Interval
    by_usd: Interval | None


def beats(one: Scenario, other: Scenario, samples: ScenarioValues, others: ScenarioValues) -> PairwiseChance:
    """Estimate the chance that the scenario `one` is quicker than the scenario `other`.

    samples : samples of `one`
    others : samples of `other`
    """
    first, second = samples.seconds.first, others.seconds.first
    return PairwiseChance(one, other, share(int(np.sum(first < second)), len(first)), float(np.mean(first == second)))


def success(scenario: Scenario, samples: ScenarioValues, one: ScenarioValues) -> BreakEvenSuccess:
    """Return the success rates at which a scenario is as good as one agent at the declared speed.

    `by_time` is `success rate of one agent * mean time of the scenario / mean time of one agent`. `by_usd` has mean
    costs instead of mean times.
    """
    chance = one.accepted.mean
    by_usd = None
    if samples.usd is not None and one.usd is not None and one.usd.mean:
        by_usd = _scaled(chance, ratio_of_means(samples.usd.first, one.usd.first))
    by_time = _scaled(chance, ratio_of_means(samples.seconds.first, one.seconds.first))
    return BreakEvenSuccess(scenario, chance, by_time, by_usd)


def _scaled(chance: float, ratio: Interval) -> Interval:
    return ratio.times(chance) if chance else Interval(0.0, 0.0, 0.0)
