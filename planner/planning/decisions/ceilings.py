"""Ceilings of speedup for any speed and number of agents, the serial fraction, and the universal scalability law."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.intervals import Interval, of_medians, quantile, ratio_of_medians
from planner.planning.decisions.chances import ScenarioValues

FEWEST = 3
"""Fewest numbers of agents that a fit of two constants needs. The number 1 does not count."""


@dataclass(frozen=True)
class Ceiling:
    """A limit of speedup.

    p50 : the least possible median completion time in seconds
    speedup : the largest possible speedup over the baseline
    """

    p50: Interval
    speedup: Interval


@dataclass(frozen=True)
class Ceilings:
    """Limits of speedup for the first model of a grid, at the lowest speed of the grid.

    infinite_speed : limit for one agent if output takes no time
    widest : largest number of agents that can be busy simultaneously. More agents do not help
    infinite_agents : limit for any number of agents, if coordination takes no time and requests do not slow each other
        down
    slowed : whether concurrent requests slow each other down in the workflow as declared
    serial_fraction : the share of one agent's time that no number of agents can save: `p50 of widest agents / p50 of
        one agent`, under the same conditions as `infinite_agents`
    """

    infinite_speed: Ceiling
    widest: int
    infinite_agents: Ceiling
    slowed: bool
    serial_fraction: Interval


@dataclass(frozen=True)
class Usl:
    """The universal scalability law, `speedup(n) = n / (1 + σ * (n − 1) + κ * n * (n − 1))` for n agents.

    numbers : the numbers of agents to which the law was fitted
    contention : the constant σ
    coherency : the constant κ
    peak : number of agents with the largest speedup, `sqrt((1 − σ) / κ)`; None if the speedup never falls
    largest_error : largest relative difference between a simulated p50 and the law
    """

    numbers: tuple[int, ...]
    contention: Interval
    coherency: Interval
    peak: float | None
    largest_error: float


def ceilings(
    baseline: ScenarioValues, instant: ScenarioValues, uncoordinated: ScenarioValues,
    uncoordinated_alone: ScenarioValues, widest: int, slowed: bool,
) -> Ceilings:  # fmt: skip
    """Return the limits of speedup for the first model of a grid, at the lowest speed of the grid.

    baseline : samples of one agent at the declared speed
    instant : samples of one agent at infinite speed
    uncoordinated : samples of `widest` agents without coordination
    uncoordinated_alone : samples of one agent without coordination
    widest : largest number of agents that can be busy simultaneously
    slowed : whether concurrent requests slow each other down in the workflow as declared
    """

    def ceiling(samples: ScenarioValues) -> Ceiling:
        return Ceiling(quantile(samples.seconds, 0.5), ratio_of_medians(baseline.seconds, samples.seconds))

    serial = ratio_of_medians(uncoordinated.seconds, uncoordinated_alone.seconds)
    return Ceilings(ceiling(instant), widest, ceiling(uncoordinated), slowed, serial)


def usl(by_agents: Mapping[int, ScenarioValues], widest: int) -> Usl | None:
    """Fit the universal scalability law to the p50 of each number of agents up to `widest`.

    The fit minimises the sum of squared relative errors. Return None if it is impossible: there are too few numbers of
    agents, the number 1 is missing, or a p50 is 0.

    by_agents : samples for each number of agents
    """
    used = tuple(sorted(count for count in by_agents if count <= widest))
    if len(used) - 1 < FEWEST or used[0] != 1 or not all(by_agents[count].p50 for count in used):
        return None
    values = [by_agents[count].seconds for count in used]
    seconds = np.array([by_agents[count].p50 for count in used])
    constants = _fit(used, seconds)

    @cache  # both constants come from the same fits
    def fit(*medians: float) -> Floats:
        return _fit(used, np.array(medians))

    def constant(index: int) -> Interval:
        return of_medians(float(constants[index]), lambda *medians: float(fit(*medians)[index]), *values)

    sigma, kappa = constants
    law = seconds[0] * _shape(used) @ np.array([1.0, sigma, kappa])
    return Usl(
        used,
        constant(0),
        constant(1),
        math.sqrt(max(0.0, 1 - sigma) / kappa) if kappa > 0 else None,
        float(np.abs(law / seconds - 1).max()),
    )


def _shape(numbers: tuple[int, ...]) -> Floats:
    """Return an array (numbers, 3) with the row `[1 / n, (n − 1) / n, n − 1]` for each number n.

    With the constants σ and κ of the universal scalability law, `row @ [1, σ, κ]` is the time of n agents divided by
    the time of one agent.
    """
    n = np.array(numbers, float)
    return np.stack([1 / n, (n - 1) / n, n - 1], axis=1)


def _fit(numbers: tuple[int, ...], seconds: Floats) -> Floats:
    """Return the constants σ and κ of the universal scalability law that fit best. Both constants are at least 0.

    numbers : numbers of agents
    seconds : p50 of the completion time for each number of agents
    """
    shape = _shape(numbers)[1:] * (seconds[0] / seconds[1:])[:, None]
    target, columns = 1 - shape[:, 0], shape[:, 1:]
    candidates = []
    for free in ((0, 1), (0,), (1,), ()):
        constants = np.zeros(2)
        constants[list(free)] = np.linalg.lstsq(columns[:, free], target, rcond=None)[0]
        if (constants >= 0).all():
            candidates.append((float(np.square(columns @ constants - target).sum()), tuple(constants)))
    return np.array(min(candidates)[1])
