"""Simulated assignments and limits that none of them surely keeps in, the assignment that comes closest out."""

from __future__ import annotations

from planner.planning.results import ALIKE
from planner.planning.tier.assignments import Assignments, FastSteps
from planner.planning.tier.limits import Limits, cost

_WORSE = {"meets": 0, "limit": 1, "misses": 2}


def closest(assignments: Assignments, limits: Limits) -> FastSteps:
    """Return the assignment that comes closest to the limits.

    This is the quickest assignment within the budget. If several are about as quick (up to 1% slower), it is the
    cheapest one of them, then the one with the fewest steps on the fast tier.

    If no assignment is within the budget, this is the cheapest assignment. If several are about as cheap, it is the one
    of them with the fewest steps on the fast tier, then the quickest.

    An assignment that misses a limit never replaces one that may keep this limit.
    """
    samples_of = assignments.samples_of
    first, *rest = nearest(assignments, limits)
    by_time = limits.in_budget(samples_of[first]) != "misses"

    def measure(chosen: FastSteps) -> float:
        return limits.time(samples_of[chosen]) if by_time else cost(samples_of[chosen])

    def order(chosen: FastSteps) -> tuple[float, float, list[str]]:
        key = cost(samples_of[chosen]), len(chosen)
        return *(key if by_time else (len(chosen), limits.time(samples_of[chosen]))), sorted(chosen)

    alike = [chosen for chosen in rest if measure(chosen) <= (1 + ALIKE) * measure(first)]
    return min([first, *(chosen for chosen in alike if not _worse(assignments, limits, chosen, first))], key=order)


def nearest(assignments: Assignments, limits: Limits) -> list[FastSteps]:
    """Return the assignments within the budget, the quickest first. If there are none, return all, the cheapest first.

    An assignment is within the budget unless it surely misses it.
    """
    samples_of = assignments.samples_of
    within = [chosen for chosen in samples_of if limits.in_budget(samples_of[chosen]) != "misses"]

    def order(chosen: FastSteps) -> tuple[float, float, int, list[str]]:
        samples = samples_of[chosen]
        key = (limits.time(samples), cost(samples)) if within else (cost(samples), limits.time(samples))
        return *key, len(chosen), sorted(chosen)

    return sorted(within or samples_of, key=order)


def _worse(assignments: Assignments, limits: Limits, one: FastSteps, other: FastSteps) -> bool:
    """Return whether `one` is further from the deadline or from the budget than `other`, by their standings."""
    samples, base = assignments.samples_of[one], assignments.samples_of[other]
    return any(_WORSE[standing(samples)] > _WORSE[standing(base)] for standing in (limits.in_time, limits.in_budget))
