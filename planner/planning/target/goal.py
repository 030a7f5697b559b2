"""A target for time and cost, and whether a scenario meets it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from planner.engine.statistics import Values, enclosed
from planner.errors import Note
from planner.planning.decisions.advice import AVAILABILITY, availability
from planner.planning.notes.assumptions import restricted
from planner.planning.results import Accepted, Scenario, Seconds, Usd
from planner.sampling.accumulator import ScenarioSamples

Standing = Literal["meets", "limit", "misses"]
"""Whether a value keeps a limit: surely (``meets``), perhaps (``limit``) or surely not (``misses``).

It is ``limit`` if the 95% interval of the value contains the limit.
"""


@dataclass(frozen=True)
class Target:
    """A limit on the completion time, and an optional limit on the cost.

    percentile : the percentile of time and cost that must be within the limits: 0.5, 0.9 or 0.95
    deadline : limit of the completion time, in seconds
    budget : limit of the cost, in US dollars; None: no limit
    """

    percentile: float
    deadline: float
    budget: float | None = None


@dataclass(frozen=True)
class Chance:
    """A probability with its 95% interval."""

    chance: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Values, limit: float) -> Chance:
        """Return the probability that a sample is at most `limit`, with its 95% interval."""
        return cls(*samples.share(limit))


@dataclass(frozen=True)
class Candidate:
    """A scenario compared with a target.

    usd_low, usd_high : ends of the 95% interval of the cost's percentile; None if the cost is unknown
    chance : probability that the completion time is within the deadline
    affordable : probability that the cost is within the budget; None if there is no budget
    in_time : ``meets`` or ``misses`` the deadline, or ``limit`` if the time's 95% interval contains the deadline
    in_budget : ``meets``, ``misses`` or ``limit`` for the cost and the budget. Without a budget, it is ``meets``
    availability : ``limited``, ``hypothetical`` or ``retired``; empty if everybody can buy the scenario's model
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
    availability: str

    @classmethod
    def of(cls, scenario: Scenario, samples: ScenarioSamples, target: Target) -> Candidate:
        """Compare the samples of a scenario with a target."""
        usd, q = samples.usd, target.percentile
        time, cost = Seconds.of(samples.seconds), Usd.of(samples)
        low, high = (None, None) if usd is None else usd.interval(q)
        affordable: Chance | None = None
        in_budget: Standing = "meets"
        if usd is not None and target.budget is not None:
            affordable, in_budget = Chance.of(usd, target.budget), standing(usd, q, target.budget)
        return cls(
            scenario,
            seconds=time,
            usd=cost,
            usd_low=low,
            usd_high=high,
            chance=Chance.of(samples.seconds, target.deadline),
            affordable=affordable,
            in_time=standing(samples.seconds, q, target.deadline),
            in_budget=in_budget,
            accepted=Accepted.of(samples.accepted, time, cost),
            price_multiplier=samples.price_multiplier,
            availability=availability(scenario, restricted(samples.accumulator.batch.models)),
        )

    @property
    def standing(self) -> Standing:
        """Whether the scenario meets both deadline and budget: ``meets``, perhaps (``limit``), or ``misses``."""
        both = (self.in_time, self.in_budget)
        return "misses" if "misses" in both else "limit" if "limit" in both else "meets"

    @property
    def rank(self) -> int:
        """Position of the scenario's availability in `AVAILABILITY`. What everybody can buy has the rank 0."""
        return AVAILABILITY.index(self.availability)

    def quantile(self, target: Target) -> float:
        """Return the scenario's completion time in seconds, at the percentile of the target."""
        return percentile_of(self.seconds, target.percentile)


def percentile_of(values: Seconds | Usd, q: float) -> float:
    """Return a percentile of a time or a cost.

    q : the percentile as a share: 0.5, 0.9 or 0.95
    """
    return {0.5: values.p50, 0.9: values.p90, 0.95: values.p95}[q]


def interval_of(values: Seconds | Usd, q: float) -> tuple[float | None, float | None]:
    """Return the ends of the 95% interval of a percentile of a time or a cost.

    Return (None, None) if there are too few samples.

    q : the percentile as a share: 0.5, 0.9 or 0.95
    """
    return {
        0.5: (values.p50_low, values.p50_high),
        0.9: (values.p90_low, values.p90_high),
        0.95: (values.p95_low, values.p95_high),
    }[q]


def few_samples(q: float, seconds: Iterable[Values]) -> tuple[Note, ...]:
    """Return a note if there are too few samples for a 95% interval of the quantile `q`."""
    for values in seconds:
        if values.drawn and not enclosed(values.count, q):
            needed = next(count for count in range(2, 1000) if enclosed(count, q))
            return (Note("few-samples", {"samples": values.count, "percentile": q, "needed": needed}),)
    return ()


def standing(samples: Values, q: float, limit: float) -> Standing:
    """Return whether the quantile `q` of some samples is at most `limit`.

    Return ``meets`` if its whole 95% interval is at most `limit`, and ``misses`` if the whole interval is above it.
    Otherwise, the samples cannot decide: return ``limit``.
    """
    low, high = samples.interval(q)
    if low < high and not enclosed(samples.count, q):
        high = math.inf  # with so few samples, even the largest may be below the quantile
    return "meets" if high <= limit else "misses" if low > limit else "limit"
