"""Percentiles of completion times that have a wait in series: with its distribution instead of its draws.

A wait in series is one that everything else comes before or after, and that depends on nothing. A completion time is
then R + W, where the rest R varies from sample to sample and W has a known distribution function G. So

    P(R + W ≤ x) = E[G(x − R)],

whose mean over samples is known better than the share of samples that are at most x: what W alone would scatter is gone
(conditional Monte Carlo: Asmussen and Glynn, "Stochastic Simulation", 2007, V.4). Its standard error is that of a mean;
the interval of a percentile is where the distribution function reaches q ± 1.96 of them, half a sample at least
(Woodruff 1952).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.statistics import (
    KEPT,
    Z975,
    Values,
    enclosed,
    in_groups,
    wilson,
)

_STEPS = 100
"""Most steps to a percentile."""

_USUAL = (0.5, 0.9, 0.95)
"""Quantiles that are asked for together."""

LEAST = 256
"""Samples from which on intervals cover what they should: of fewer the longest rests are missing too often."""

RARE = 10
"""Samples of a kind below which their spread tells too little: what is seen seldom may not have been seen."""

_NEAR = 1e-9
"""To which share of cases a percentile is found; the ends of its interval to a hundredth of the standard error."""


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

    def within(self, limits: Floats, rest: Floats) -> Floats:
        """(rows, n) chance to be at most (rows,) long with each of (rows or 1, n) rests. Rests in order are quicker."""
        chances: Floats = np.interp(limits[:, None] - rest, self.seconds, self.shares, 0.0, 1.0)
        return chances

    def quantiles(self, q: Floats, rest: Floats, near: float = _NEAR) -> Floats:
        """(rows,) where the means of `within` reach (rows,) q: by false position, Illinois's rule for what stays."""
        own = np.interp(q, self.shares, self.seconds)
        low, high = rest.min(1) + own, rest.max(1) + own
        below, above = (self._mean(end, rest) - q for end in (low, high))
        at: Floats = low
        before = np.zeros(len(q))
        for _ in range(_STEPS):
            apart = above - below
            at = np.where(apart > 0, low - below * (high - low) / np.where(apart > 0, apart, 1.0), low)
            found = self._mean(at, rest) - q
            if np.all((np.abs(found) <= near) | (apart <= 0)):
                break
            side = np.where(found < 0, -1.0, 1.0)
            again = np.where(side == before, 0.5, 1.0)
            low, below = np.where(side < 0, at, low), np.where(side < 0, found, below * again)
            high, above = np.where(side < 0, high, at), np.where(side < 0, above * again, found)
            before = side
        return at

    def _mean(self, limits: Floats, rest: Floats) -> Floats:
        return np.asarray(np.add.reduce(self.within(limits, rest), axis=1) / rest.shape[1])


class Smoothed(Values):
    """Completion times with a wait in series. Of under `LEAST` samples, or over `KEPT`, all is as of `Values`."""

    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self._waits = waits
        self._forget()

    def add(self, samples: Floats) -> None:
        super().add(samples)
        self._forget()

    def _forget(self) -> None:
        self._rest: Floats | None = None
        self._medians: Floats | None = None
        self._quantiles: dict[float, float] = {}
        self._intervals: dict[float, tuple[float, float]] = {}

    def quantile(self, q: float) -> float:
        if self._plain or not _NEAR < q < 1 - _NEAR:
            return super().quantile(q)
        if q not in self._quantiles:
            asked = _together(q)
            self._quantiles.update(
                zip(asked, self._waits.quantiles(np.array(asked), self._rests).tolist(), strict=True)
            )
        return self._quantiles[q]

    def interval(self, q: float) -> tuple[float, float]:
        """95 % confidence interval; where there are too few samples for one, that of `Values`, and the quantile."""
        if self._plain:
            return super().interval(q)
        if q not in self._intervals:
            asked = _together(q)
            self._intervals.update(zip(asked, self._around(asked), strict=True))
        return self._intervals[q]

    def _around(self, asked: tuple[float, ...]) -> Iterator[tuple[float, float]]:
        middles = np.array([self.quantile(q) for q in asked])
        errors = self._errors(middles)
        halves = np.maximum(Z975 * errors, 0.5 / self.count)  # no nearer than half a sample
        ends = np.clip(np.outer((-1, 1), halves) + asked, _NEAR, 1 - _NEAR)
        near = float(halves.min()) / 100
        lows, highs = self._waits.quantiles(ends.ravel(), self._rests, near).reshape(2, -1).tolist()
        for q, middle, low, high in zip(asked, middles.tolist(), lows, highs, strict=True):
            if enclosed(self.count, q):
                yield low, high
            else:
                least, most = super().interval(q)
                yield min(least, middle), max(most, middle)

    def share(self, limit: float) -> tuple[float, float, float]:
        """As that of `Values`; the interval is of as many samples as would be known as well."""
        if self._plain:
            return super().share(limit)
        limits = np.array([limit])
        share, error = float(self._waits.within(limits, self._rests).mean()), float(self._errors(limits)[0])
        if min(share, 1 - share) * self.count < RARE or not error:
            return super().share(limit)
        return share, *wilson(share, max(share * (1 - share) / error**2, self.count))

    def group_medians(self) -> Floats | None:
        if self._plain:
            return super().group_medians()
        if self._medians is None:
            groups = in_groups(self._waits.without(self.first))
            if groups is not None:
                self._medians = self._waits.quantiles(np.full(len(groups), 0.5), np.sort(groups))
        return self._medians

    @property
    def _plain(self) -> bool:
        return not LEAST <= self.count <= KEPT

    @property
    def _rests(self) -> Floats:
        """(1, n) in order."""
        if self._rest is None:
            self._rest = np.sort(self._waits.without(self.first))[None]
        return self._rest

    def _errors(self, limits: Floats) -> Floats:
        """(n,) standard errors of the shares that are at most (n,) so long; 0 of a single sample."""
        count = self._rests.shape[1]
        if count == 1:
            return np.zeros(len(limits))
        return np.asarray(self._waits.within(limits, self._rests).std(axis=1, ddof=1) / math.sqrt(count))


def _together(q: float) -> tuple[float, ...]:
    """The quantiles that are worked out when one is asked for."""
    return _USUAL if q in _USUAL else (q,)
