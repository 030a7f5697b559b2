"""A target for time and cost, and whether a scenario is known to meet it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from planner.engine.statistics import Z975, Values
from planner.planning.results import (
    Accepted,
    Scenario,
    Seconds,
    Usd,
)
from planner.sampling.accumulator import ScenarioSamples

Standing = Literal["meets", "limit", "misses"]
"""What is known of a claim: the 95 % interval lies within the limit, holds it, or lies beyond it."""


@dataclass(frozen=True)
class Target:
    """`percentile` of the completion time within `deadline` seconds, and of the cost within `budget` US dollars.

    percentile : 0.5 or 0.9
    budget : None: as much as it takes
    """

    percentile: float
    deadline: float
    budget: float | None = None


@dataclass(frozen=True)
class Chance:
    """A share of cases with its 95 % interval."""

    chance: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Values, limit: float) -> Chance:
        """That samples are at most `limit`."""
        return cls(*samples.share(limit))


@dataclass(frozen=True)
class Candidate:
    """A scenario and how it stands to a target.

    usd_low, usd_high : 95 % interval of the percentile of the cost, if it is known
    chance : of meeting the deadline
    affordable : chance of keeping to the budget, if there is one
    in_time, in_budget : what is known of the percentile of time, and of cost
    """

    scenario: Scenario
    seconds: Seconds
    usd: Usd | None
    usd_low: float | None
    usd_high: float | None
    chance: Chance
    affordable: Chance | None
    in_time: Standing
    in_budget: Standing
    accepted: Accepted
    price_multiplier: float

    @classmethod
    def of(cls, scenario: Scenario, found: ScenarioSamples, target: Target) -> Candidate:
        usd, q = found.usd, target.percentile
        time, cost = Seconds.of(found.seconds), None if usd is None else Usd.of(usd)
        limited = usd is not None and target.budget is not None
        low, high = (None, None) if usd is None else usd.interval(q)
        return cls(
            scenario,
            time,
            cost,
            low,
            high,
            Chance.of(found.seconds, target.deadline),
            Chance.of(usd, target.budget) if usd is not None and target.budget is not None else None,
            standing(found.seconds, q, target.deadline),
            standing(usd, q, target.budget) if limited and usd is not None and target.budget is not None else "meets",
            Accepted.of(found.accepted, time, cost),
            found.price_multiplier,
        )

    @property
    def standing(self) -> Standing:
        """The worse of time and cost."""
        both = (self.in_time, self.in_budget)
        return "misses" if "misses" in both else "limit" if "limit" in both else "meets"

    def quantile(self, target: Target) -> float:
        """The percentile of the target, seconds."""
        return self.seconds.p50 if target.percentile == 0.5 else self.seconds.p90


def standing(samples: Values, q: float, limit: float) -> Standing:
    """Whether the quantile `q` is known to be at most `limit`."""
    low, high = samples.interval(q)
    if low < high and samples.count * q + Z975 * math.sqrt(samples.count * q * (1 - q)) > samples.count - 1:
        high = math.inf  # too few samples for one of them to lie above the quantile for sure
    return "meets" if high <= limit else "misses" if low > limit else "limit"
