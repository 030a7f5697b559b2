"""The limits that an assignment of steps to a fast tier must keep, and the order of assignments."""

from __future__ import annotations

from dataclasses import dataclass

from planner.planning.target.goal import Standing, standing
from planner.sampling.accumulator import ScenarioSamples


@dataclass(frozen=True)
class Limits:
    """The limits of an assignment: a deadline, a budget, or both.

    With a deadline, the best assignment is the cheapest one. Without a deadline, it is the quickest one.

    percentile : the percentile of time and cost that must be within the limits: 0.5, 0.9 or 0.95
    deadline : limit of the completion time, in seconds; None: no limit
    budget : limit of the cost, in US dollars; None: no limit
    """

    percentile: float = 0.5
    deadline: float | None = None
    budget: float | None = None

    def in_time(self, samples: ScenarioSamples) -> Standing:
        """Return ``meets`` or ``misses``, or ``limit`` if the time's 95% interval contains the deadline.

        Without a deadline, return ``meets``.
        """
        return "meets" if self.deadline is None else standing(samples.seconds, self.percentile, self.deadline)

    def in_budget(self, samples: ScenarioSamples) -> Standing:
        """Return ``meets`` or ``misses``, or ``limit`` if the cost's 95% interval contains the budget.

        Without a budget, return ``meets``. If the cost is unknown, return ``limit``.
        """
        if self.budget is None:
            return "meets"
        return "limit" if samples.usd is None else standing(samples.usd, self.percentile, self.budget)

    def standing(self, samples: ScenarioSamples) -> Standing:
        """Return whether an assignment meets both deadline and budget: ``meets``, ``limit`` (perhaps) or ``misses``."""
        both = self.in_time(samples), self.in_budget(samples)
        return "misses" if "misses" in both else "limit" if "limit" in both else "meets"

    def fits(self, samples: ScenarioSamples) -> bool:
        """Return whether an assignment is surely within the limits, by 95% intervals."""
        return self.standing(samples) == "meets"

    def time(self, samples: ScenarioSamples) -> float:
        """Return the completion time in seconds, at the percentile of the limits."""
        return samples.seconds.quantile(self.percentile)

    def order(self, samples: ScenarioSamples) -> tuple[float, float]:
        """Return a sort key: with a deadline, the mean cost and then the time; without one, the reverse."""
        key = self.time(samples), cost(samples)
        return key if self.deadline is None else key[::-1]


def cost(samples: ScenarioSamples) -> float:
    """Return the mean cost in US dollars. Return 0 if the cost is unknown."""
    return samples.usd.mean if samples.usd is not None else 0.0
