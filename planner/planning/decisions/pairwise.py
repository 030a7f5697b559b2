"""What rests on chances: that one scenario is quicker than another, and how often a result has to be right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.statistics import share_interval
from planner.planning.decisions.interval import Interval, Samples, ratio_of_means
from planner.planning.results import Scenario


@dataclass(frozen=True)
class Beats:
    """Share of samples in which `one` is quicker than `other` in the same project. equal : share of those as quick."""

    one: Scenario
    other: Scenario
    quicker: Interval
    equal: float


@dataclass(frozen=True)
class Success:
    """How much less often right a scenario may be than the baseline, per accepted result.

    chance : of the baseline, that a result is accepted
    by_time : the chance at which it takes as long per accepted result; above 1: it cannot
    by_usd : likewise of cost; None where that is unknown
    """

    scenario: Scenario
    chance: float
    by_time: Interval
    by_usd: Interval | None


def beats(one: Scenario, other: Scenario, samples: Samples, others: Samples) -> Beats:
    """With a 95 % interval by Wilson's score."""
    first, second = samples.seconds.first, others.seconds.first
    return Beats(one, other, share(int(np.sum(first < second)), len(first)), float(np.mean(first == second)))


def share(count: int, of: int) -> Interval:
    """A share with a 95 % interval by Wilson's score."""
    return Interval(count / of, *share_interval(count, of))


def success(scenario: Scenario, samples: Samples, baseline: Samples) -> Success:
    """Of mean time and cost: a scenario with chance p takes E[T] / p per accepted result."""
    chance = baseline.accepted.mean
    by_usd = None
    if samples.usd is not None and baseline.usd is not None and baseline.usd.mean:
        by_usd = _of(chance, ratio_of_means(samples.usd.first, baseline.usd.first))
    return Success(scenario, chance, _of(chance, ratio_of_means(samples.seconds.first, baseline.seconds.first)), by_usd)


def _of(chance: float, ratio: Interval) -> Interval:
    return ratio.times(chance) if chance else Interval(0.0, 0.0, 0.0)
