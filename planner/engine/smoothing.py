"""Percentiles of completion times that have a wait in series: with its distribution instead of its draws.

A wait in series is one that everything else comes before or after, and that depends on nothing. A completion time is
then R + W, where the rest R varies from sample to sample and W has a known distribution function G. So

    P(R + W ≤ x) = E[G(x − R)],

whose mean over samples is known better than the share of samples that are at most x: what W alone would scatter is gone
(conditional Monte Carlo: Asmussen and Glynn, "Stochastic Simulation", 2007, V.4). Its standard error is that of a mean;
the interval of a percentile is where the distribution function reaches q ± 1.96 of them (Woodruff 1952).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from planner.engine.statistics import KEPT, Z975, Values, enclosed, in_groups, wilson

Floats = NDArray[np.float64]

_STEPS = 100
"""Most steps to a percentile."""

_CLOSE, _NEAR = 1e-9, 1e-12
"""To which share of itself a percentile is found, or how near to its share of cases."""


class Waits:
    """A wait's distribution, and what was drawn for it in each sample, of which the first `KEPT` are kept.

    shares, seconds : its distribution function, rising: it takes at most `seconds` in a share of cases
    """

    def __init__(self, shares: Floats, seconds: Floats) -> None:
        self.shares = shares
        self.seconds = seconds
        self._drawn = np.empty(0)

    def add(self, drawn: Floats) -> None:
        """What it took in the next (n,) samples."""
        if len(self._drawn) < KEPT:
            self._drawn = np.concatenate((self._drawn, drawn))[:KEPT]

    def without(self, samples: Floats) -> Floats:
        """(n,) what is left of the first n completion times."""
        return samples - self._drawn[: len(samples)]

    def within(self, limit: float, rest: Floats) -> Floats:
        """(n,) chance to be at most so long with each (n,) rest."""
        return np.interp(limit - rest, self.seconds, self.shares, 0.0, 1.0)

    def quantile(self, q: float, rest: Floats) -> float:
        """Where the mean of `within` reaches q: by false position, with the end that stays halved (Illinois)."""
        own = float(np.interp(q, self.shares, self.seconds))
        low, high = float(rest.min()) + own, float(rest.max()) + own
        below, above = (float(self.within(end, rest).mean()) - q for end in (low, high))
        stayed = 0
        for _ in range(_STEPS):
            if high - low <= _CLOSE * high or above <= below:
                break
            at = low - below * (high - low) / (above - below)
            found = float(self.within(at, rest).mean()) - q
            if abs(found) <= _NEAR:
                return at
            if found < 0:
                low, below, above = at, found, above / 2 if stayed > 0 else above
                stayed = 1
            else:
                high, above, below = at, found, below / 2 if stayed < 0 else below
                stayed = -1
        return (low + high) / 2


class Smoothed(Values):
    """Completion times with a wait in series. Of more than `KEPT` samples all is as of `Values`."""

    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self._waits = waits
        self._quantiles: dict[float, float] = {}

    def add(self, samples: Floats) -> None:
        super().add(samples)
        self._quantiles = {}

    def quantile(self, q: float) -> float:
        if self.count > KEPT or not _NEAR <= q <= 1 - _NEAR:
            return super().quantile(q)
        if q not in self._quantiles:
            self._quantiles[q] = self._waits.quantile(q, self._rest)
        return self._quantiles[q]

    def interval(self, q: float) -> tuple[float, float]:
        """95 % confidence interval; where there are too few samples for one, that of `Values`, and the quantile."""
        middle, rest = self.quantile(q), self._rest
        if self.count > KEPT or not enclosed(self.count, q):
            low, high = super().interval(q)
            return min(low, middle), max(high, middle)
        half = Z975 * self._error(middle, rest)
        if not half:
            return middle, middle
        low, high = (self._waits.quantile(min(max(at, _NEAR), 1 - _NEAR), rest) for at in (q - half, q + half))
        return low, high

    def share(self, limit: float) -> tuple[float, float, float]:
        """As that of `Values`; the interval is of as many samples as would be known as well."""
        if self.count > KEPT:
            return super().share(limit)
        rest = self._rest
        share, error = float(self._waits.within(limit, rest).mean()), self._error(limit, rest)
        known = share * (1 - share) / error**2 if error else math.inf
        return (share, share, share) if known == math.inf else (share, *wilson(share, max(known, self.count)))

    def group_medians(self) -> Floats | None:
        groups = in_groups(self._rest)
        return None if groups is None else np.array([self._waits.quantile(0.5, rest) for rest in groups])

    @property
    def _rest(self) -> Floats:
        return self._waits.without(self.first)

    def _error(self, limit: float, rest: Floats) -> float:
        """Standard error of the share that is at most so long; 0 of a single sample."""
        return float(self._waits.within(limit, rest).std(ddof=1)) / math.sqrt(len(rest)) if len(rest) > 1 else 0.0
