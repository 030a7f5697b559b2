"""Intervals from order statistics: nothing is assumed of the distribution."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Z975 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""


def quantile_interval(samples: NDArray[np.float64], q: float) -> tuple[float, float]:
    """95 % confidence interval of the quantile `q`, 0 < q < 1, of iid samples.

    The order statistics whose ranks lie 1.96 standard deviations of Binomial(N, q) from N·q on either side
    (normal approximation, widened to whole ranks); the least or the greatest sample where there is no such rank.
    """
    ordered = np.sort(samples)
    n = len(ordered)
    spread = Z975 * math.sqrt(n * q * (1 - q))
    low = math.floor(n * q - spread) - 1
    high = math.ceil(n * q + spread)
    return float(ordered[max(low, 0)]), float(ordered[min(high, n - 1)])
