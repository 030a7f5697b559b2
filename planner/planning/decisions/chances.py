"""Chances: how often one scenario is quicker than another, and at which success rate it breaks even."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.statistics import share_interval
from planner.planning.decisions.interval import Interval, ScenarioValues, ratio_of_means
from planner.planning.results import Scenario


@dataclass(frozen=True)
class PairwiseChance:
    """Share of samples in which `one` is quicker than `other`. equal : share of samples in which both are equal."""

    one: Scenario
    other: Scenario
    quicker: Interval
    equal: float


@dataclass(frozen=True)
class BreakEvenSuccess:
    """The success rate at which a scenario breaks even with the baseline, per accepted result.

    chance : success rate of the baseline
    by_time : the rate at which both take the same mean time per accepted result; above 1 if none is high enough
    by_usd : the same for cost; None if the cost is unknown
    """

    scenario: Scenario
    chance: float
    by_time: Interval
    by_usd: Interval | None


def beats(one: Scenario, other: Scenario, samples: ScenarioValues, others: ScenarioValues) -> PairwiseChance:
    """Estimate how often `one` is quicker than `other`."""
    first, second = samples.seconds.first, others.seconds.first
    return PairwiseChance(one, other, share(int(np.sum(first < second)), len(first)), float(np.mean(first == second)))


def share(count: int, total: int) -> Interval:
    """A share with a 95% interval by Wilson's score."""
    return Interval(count / total, *share_interval(count, total))


def success(scenario: Scenario, samples: ScenarioValues, baseline: ScenarioValues) -> BreakEvenSuccess:
    """Solve for the success rate p at which E[T] / p, and E[cost] / p, equal those of the baseline."""
    chance = baseline.accepted.mean
    by_usd = None
    if samples.usd is not None and baseline.usd is not None and baseline.usd.mean:
        by_usd = _scaled(chance, ratio_of_means(samples.usd.first, baseline.usd.first))
    by_time = _scaled(chance, ratio_of_means(samples.seconds.first, baseline.seconds.first))
    return BreakEvenSuccess(scenario, chance, by_time, by_usd)


def _scaled(chance: float, ratio: Interval) -> Interval:
    return ratio.times(chance) if chance else Interval(0.0, 0.0, 0.0)
