"""Ceilings of speedup for any speed and number of agents, the serial fraction, and the universal scalability law."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from planner.engine.arrays import Floats
from planner.planning.decisions.interval import (
    Interval,
    ScenarioValues,
    of_medians,
    quantile,
    ratio_of_medians,
)

FEWEST = 3
"""Fewest numbers of agents, not counting one agent, that a fit of two constants needs."""


@dataclass(frozen=True)
class Ceiling:
    """The least possible p50 in seconds, and its speedup over the baseline."""

    p50: Interval
    speedup: Interval


@dataclass(frozen=True)
class Ceilings:
    """Ceilings for the first row of a grid.

    infinite_speed : ceiling of one agent whose output takes no time
    widest : most agents that can be busy simultaneously
    infinite_agents : ceiling of `widest` agents without coordination; each request is as quick as if it were alone
    slowed : whether concurrent requests slow each other down in the workflow itself
    best : the number of agents with the least p50 of all that were simulated
    coordinated : p50 and speedup of `best` agents, with coordination
    serial_fraction : p50 of `infinite_agents`, divided by the p50 of one agent without coordination
    """

    infinite_speed: Ceiling
    widest: int
    infinite_agents: Ceiling
    slowed: bool
    best: int
    coordinated: Ceiling
    serial_fraction: Interval


@dataclass(frozen=True)
class Usl:
    """Universal scalability law: speedup(n) = n / (1 + σ (n − 1) + κ n (n − 1)).

    numbers : the numbers of agents n that the law was fitted to
    contention, coherency : σ and κ
    peak : number of agents beyond which the speedup falls, √((1 − σ) / κ); None if it never falls
    largest_error : largest relative difference between a simulated p50 and the law
    """

    numbers: tuple[int, ...]
    contention: Interval
    coherency: Interval
    peak: float | None
    largest_error: float


def ceilings(
    baseline: ScenarioValues, instant: ScenarioValues, uncoordinated: ScenarioValues,
    uncoordinated_alone: ScenarioValues, widest: int, slowed: bool, best: int, at_best: ScenarioValues,
) -> Ceilings:  # fmt: skip
    """Return the ceilings for the first row of a grid. Arguments that are not listed are fields of `Ceilings`.

    baseline : samples of one agent at the declared speed
    instant : samples of one agent at infinite speed
    uncoordinated : samples of `widest` agents without coordination
    uncoordinated_alone : samples of one agent without coordination
    at_best : samples of `best` agents with coordination
    """

    def ceiling(samples: ScenarioValues) -> Ceiling:
        return Ceiling(quantile(samples.seconds, 0.5), ratio_of_medians(baseline.seconds, samples.seconds))

    serial = ratio_of_medians(uncoordinated.seconds, uncoordinated_alone.seconds)
    return Ceilings(ceiling(instant), widest, ceiling(uncoordinated), slowed, best, ceiling(at_best), serial)


def usl(by_agents: Mapping[int, ScenarioValues], widest: int) -> Usl | None:
    """Fit the universal scalability law to the p50 of all numbers of agents up to `widest`.

    The fit minimises the squares of relative errors. Return None if there are too few numbers, if one agent is not
    among them, or if a p50 is 0.
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
    """Return the coefficients of 1, σ and κ in T(n)/T(1) = 1/n + σ (n − 1)/n + κ (n − 1): a row for each number n."""
    n = np.array(numbers, float)
    return np.stack([1 / n, (n - 1) / n, n - 1], axis=1)


def _fit(numbers: tuple[int, ...], seconds: Floats) -> Floats:
    """Return σ and κ of the best fit in which neither is below 0. `seconds` has the p50 of each number."""
    shape = _shape(numbers)[1:] * (seconds[0] / seconds[1:])[:, None]
    target, columns = 1 - shape[:, 0], shape[:, 1:]
    candidates = []
    for free in ((0, 1), (0,), (1,), ()):
        constants = np.zeros(2)
        constants[list(free)] = np.linalg.lstsq(columns[:, free], target, rcond=None)[0]
        if (constants >= 0).all():
            candidates.append((float(np.square(columns @ constants - target).sum()), tuple(constants)))
    return np.array(min(candidates)[1])
