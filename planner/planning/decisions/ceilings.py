"""What no speed and no number of agents can beat, the serial fraction, and the USL as a fit over results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from planner.engine.arrays import Floats
from planner.planning.decisions.interval import (
    Interval,
    Samples,
    of_medians,
    quantile,
    ratio_of_medians,
)

FEWEST = 3
"""Numbers of agents beyond one that a fit of two constants needs."""


@dataclass(frozen=True)
class Ceiling:
    """p50 and speedup over the baseline that cannot be exceeded."""

    p50: Interval
    speedup: Interval


@dataclass(frozen=True)
class Ceilings:
    """Of the first row.

    infinite_speed : one agent, output in no time
    infinite_agents : `widest` agents without coordination, each of their requests as quick as if it were the only one
    slowed : requests are slower, the more there are at a time
    coordinated : `best` agents with it: the least p50 of the numbers tried
    serial_fraction : p50 of `infinite_agents` over that of one agent, without coordination
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
    peak : the number of agents from which it falls again, √((1 − σ) / κ); None: it never does
    largest_error : between law and p50, as a share of p50
    """

    numbers: tuple[int, ...]
    contention: Interval
    coherency: Interval
    peak: float | None
    largest_error: float


def ceilings(
    baseline: Samples, instant: Samples, plain: Samples, plain_alone: Samples, widest: int, slowed: bool, best: int,
    at_best: Samples,
) -> Ceilings:  # fmt: skip
    """Of one agent at infinite speed, of the widest fan-out's agents and of one without coordination, of the best."""

    def ceiling(samples: Samples) -> Ceiling:
        return Ceiling(quantile(samples.seconds, 0.5), ratio_of_medians(baseline.seconds, samples.seconds))

    serial = ratio_of_medians(plain.seconds, plain_alone.seconds)
    return Ceilings(ceiling(instant), widest, ceiling(plain), slowed, best, ceiling(at_best), serial)


def usl(cells: Mapping[int, Samples], widest: int) -> Usl | None:
    """The law that fits p50 best by least squares of relative errors, over numbers that have work for every agent."""
    used = tuple(sorted(count for count in cells if count <= widest))
    if len(used) - 1 < FEWEST or used[0] != 1 or not all(cells[count].p50 for count in used):
        return None
    values = [cells[count].seconds for count in used]
    seconds = np.array([cells[count].p50 for count in used])
    constants = _fit(used, seconds)

    @cache  # both constants come from the same fits
    def fit(*medians: float) -> Floats:
        return _fit(used, np.array(medians))

    def constant(at: int) -> Interval:
        return of_medians(float(constants[at]), lambda *medians: float(fit(*medians)[at]), *values)

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
    """Time over that of one agent is linear in σ and κ: 1/n + σ (n − 1)/n + κ (n − 1)."""
    n = np.array(numbers, float)
    return np.stack([1 / n, (n - 1) / n, n - 1], axis=1)


def _fit(numbers: tuple[int, ...], seconds: Floats) -> Floats:
    """σ and κ, neither below 0."""
    shape = _shape(numbers)[1:] * (seconds[0] / seconds[1:])[:, None]
    wanted, columns = 1 - shape[:, 0], shape[:, 1:]
    tries = []
    for free in ((0, 1), (0,), (1,), ()):
        found = np.zeros(2)
        found[list(free)] = np.linalg.lstsq(columns[:, free], wanted, rcond=None)[0]
        if (found >= 0).all():
            tries.append((float(np.square(columns @ found - wanted).sum()), tuple(found)))
    return np.array(min(tries)[1])
