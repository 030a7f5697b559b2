"""Ceilings that no speed and no number of agents can exceed, the serial fraction, and a fit of the USL."""

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
"""Fewest numbers of agents beyond one for a fit of two constants."""


@dataclass(frozen=True)
class Ceiling:
    """The least possible p50, and its speedup over the baseline."""

    p50: Interval
    speedup: Interval


@dataclass(frozen=True)
class Ceilings:
    """Ceilings of the first row.

    infinite_speed : one agent whose output takes no time
    infinite_agents : `widest` agents without coordination, each request as quick as if it were alone
    slowed : whether concurrent requests slow each other down
    coordinated : `best` agents with coordination: the least p50 of the numbers tried
    serial_fraction : p50 of `infinite_agents` over that of one agent, both without coordination
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

    contention, coherency : σ and κ
    peak : number of agents beyond which the speedup falls, √((1 − σ) / κ); None if it never falls
    largest_error : largest relative difference between the law and a p50
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
    """Compute the ceilings.

    instant : one agent at infinite speed
    uncoordinated, uncoordinated_alone : `widest` agents, and one agent, without coordination
    at_best : `best` agents
    """

    def ceiling(samples: ScenarioValues) -> Ceiling:
        return Ceiling(quantile(samples.seconds, 0.5), ratio_of_medians(baseline.seconds, samples.seconds))

    serial = ratio_of_medians(uncoordinated.seconds, uncoordinated_alone.seconds)
    return Ceilings(ceiling(instant), widest, ceiling(uncoordinated), slowed, best, ceiling(at_best), serial)


def usl(by_agents: Mapping[int, ScenarioValues], widest: int) -> Usl | None:
    """Fit the law to p50 by least squares of relative errors, over numbers of agents up to `widest`.

    Returns None if there are too few of them, or a p50 is 0.
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
    """(numbers, 3) Coefficients of 1, σ and κ in T(n)/T(1) = 1/n + σ (n − 1)/n + κ (n − 1)."""
    n = np.array(numbers, float)
    return np.stack([1 / n, (n - 1) / n, n - 1], axis=1)


def _fit(numbers: tuple[int, ...], seconds: Floats) -> Floats:
    """σ and κ, neither below 0."""
    shape = _shape(numbers)[1:] * (seconds[0] / seconds[1:])[:, None]
    target, columns = 1 - shape[:, 0], shape[:, 1:]
    candidates = []
    for free in ((0, 1), (0,), (1,), ()):
        constants = np.zeros(2)
        constants[list(free)] = np.linalg.lstsq(columns[:, free], target, rcond=None)[0]
        if (constants >= 0).all():
            candidates.append((float(np.square(columns @ constants - target).sum()), tuple(constants)))
    return np.array(min(candidates)[1])
