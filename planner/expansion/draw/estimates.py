"""An estimate and samples in; draws of the estimate out."""

from __future__ import annotations

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Cells, Occurrence, Samples
from planner.engine.statistics import normal_quantile
from planner.reading.estimates.estimate import MOST_EXPONENT, Estimate

WIDE = 50.0
"""Below this sigma, exponents stay far below `MOST_EXPONENT` in every draw."""


def draw_estimate(
    estimate: Estimate,
    samples: Samples,
    cells: int | Cells,
    path: str,
    purpose: str,
    occurrence: Occurrence = (),
    factor: Floats | float | None = None,
) -> Floats:
    """Return draws of an estimate, multiplied by a factor. Whole quantities are rounded half up.

    A constant estimate without a factor gives a single value: an array (1, 1) or (1,).

    cells : number of items, or array of n positions in the random stream. A number of items gives a result (items,
        samples). An array gives a result (n,)
    path, purpose, occurrence : key of the draws. Equal keys give equal draws
    """
    if not estimate.varies:
        values = np.full((1, 1) if isinstance(cells, int) else (1,), float(estimate.scale))
        if factor is None or estimate.scale == 0:
            return values
    elif estimate.shape == "exponential":
        values = estimate.scale * samples.exponential(cells, path, purpose, occurrence)
    elif estimate.shape == "triangular":
        values = _triangular(estimate.points, samples.uniform(cells, path, purpose, occurrence))
    elif estimate.shape == "empirical":
        u = samples.uniform(cells, path, purpose, occurrence)
        values = np.array(estimate.points)[(u * len(estimate.points)).astype(int)]
    else:
        exponents = estimate.sigma * samples.normal(cells, path, purpose, occurrence)
        if estimate.sigma < WIDE:
            values = estimate.scale * np.exp(exponents)
        else:
            values = np.exp(np.minimum(np.log(estimate.scale) + exponents, MOST_EXPONENT))
    if factor is not None:
        values = values * factor
    if estimate.whole:
        values = np.floor(values + 0.5)
    least = min(estimate.least, 1.0) if estimate.whole else estimate.least if factor is None else 0.0
    return np.maximum(values, least) if least else values


def estimate_quantiles(estimate: Estimate, shares: Floats) -> Floats:
    """Return the quantiles of an estimate for these shares. The estimate must not be empirical.

    shares : array of numbers above 0 and below 1
    """
    if estimate.shape == "exponential":
        return np.asarray(-np.log1p(-shares) * estimate.scale)
    if estimate.shape == "triangular":
        return _triangular(estimate.points, shares)
    exponents: Floats = np.log(estimate.scale) + estimate.sigma * normal_quantile(shares)
    return np.asarray(np.exp(np.minimum(exponents, MOST_EXPONENT)))


def _triangular(points: tuple[float, ...], u: Floats) -> Floats:
    """Return quantiles of a triangular distribution.

    points : lowest, likeliest and highest value
    u : shares from 0 to 1
    """
    low, likely, high = points
    rise, fall, width = likely - low, high - likely, high - low
    return np.where(u * width < rise, low + np.sqrt(u * width * rise), high - np.sqrt((1 - u) * width * fall))
