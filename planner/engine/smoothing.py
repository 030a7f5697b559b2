"""Percentiles of completion times with a wait in series, computed from the distribution of the wait, not its draws.

A wait in series is independent of everything else, and nothing else runs during the wait. A completion time is then
R + W: the rest R varies from sample to sample, and the wait W has a known distribution function G. So

    P(R + W ≤ x) = E[G(x − R)].

The mean of G(x − R) over samples has a smaller error than the share of samples up to x, since the variance of W drops
out (conditional Monte Carlo: Asmussen and Glynn, "Stochastic Simulation", 2007, V.4). Its standard error is that of a
mean. The interval of the quantile q ends where the distribution function reaches q ± 1.96 standard errors. Each end
is at least half a sample away from q (Woodruff 1952).
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
"""Largest number of iterations to find a percentile."""

_USUAL = (0.5, 0.9, 0.95)
"""Quantiles that are usually requested together."""

LEAST = 256
"""Smallest number of samples that are smoothed.

With fewer samples the longest rests are often missing, so that intervals contain the true value too rarely.
"""

RARE = 10
"""Smallest number of samples on each side of a limit for which a standard error is estimated.

With fewer samples on one side, the rare values of that side may be missing.
"""

_NEAR = 1e-9
"""Tolerance of a percentile, as a probability. For the ends of an interval, the tolerance is 1% of the half-width."""


class Waits:
    """Distribution of the duration of a wait, and random draws of this duration.

    seconds : (k,) durations in rising order
    shares : (k,) for each of these durations, the probability that the wait takes at most this duration
    """

    def __init__(self, shares: Floats, seconds: Floats) -> None:
        self.shares = shares
        self.seconds = seconds
        self._drawn = np.empty(0)

    def add(self, drawn: Floats) -> None:
        """Add random draws of the wait: its durations in the next n samples, an array (n,).

        At most `KEPT` durations are stored.
        """
        if len(self._drawn) < KEPT:
            self._drawn = np.concatenate((self._drawn, drawn))[:KEPT]

    def without(self, samples: Floats) -> Floats:
        """Subtract the durations of the wait from completion times. Return an array (n,).

        samples : (n,) completion times of the first n samples
        """
        return samples - self._drawn[: len(samples)]

    def within(self, limits: Floats, rest: Floats) -> Floats:
        """Return an array (k, n): the probability that `rest` plus the random wait is at most the limit.

        limits : (k,) seconds
        rest : (k, n) completion times without the wait, in seconds. The shape (1, n) means the same times for all
            limits. The function is faster for sorted times
        """
        chances: Floats = np.interp(limits[:, None] - rest, self.seconds, self.shares, 0.0, 1.0)
        return chances

    def quantiles(self, q: Floats, rest: Floats, near: float = _NEAR) -> Floats:
        """Return quantiles of completion times: an array (k,), in seconds.

        The quantiles are computed by false position with the Illinois rule.

        q : (k,) probabilities
        rest : (k, n) completion times without the wait, in seconds. The shape (1, n) means the same times for all
            quantiles
        near : tolerance. For example, with `near` 0.01, the result for 0.9 is between the exact 0.89 and 0.91 quantiles
        """
        wait = np.interp(q, self.shares, self.seconds)
        low, high = rest.min(1) + wait, rest.max(1) + wait
        below, above = (self._mean(end, rest) - q for end in (low, high))
        root: Floats = low
        last_side = np.zeros(len(q))
        for _ in range(_STEPS):
            rise = above - below
            root = np.where(rise > 0, low - below * (high - low) / np.where(rise > 0, rise, 1.0), low)
            error = self._mean(root, rest) - q
            if np.all((np.abs(error) <= near) | (rise <= 0)):
                break
            side = np.where(error < 0, -1.0, 1.0)
            weight = np.where(side == last_side, 0.5, 1.0)
            low, below = np.where(side < 0, root, low), np.where(side < 0, error, below * weight)
            high, above = np.where(side < 0, high, root), np.where(side < 0, above * weight, error)
            last_side = side
        return root

    def _mean(self, limits: Floats, rest: Floats) -> Floats:
        return np.asarray(np.add.reduce(self.within(limits, rest), axis=1) / rest.shape[1])


class Smoothed(Values):
    """Completion times that contain a wait during which nothing else runs.

    Percentiles are computed from the distribution of the wait. If there are fewer than `LEAST` or more than `KEPT`
    samples, percentiles are computed as in `Values`.
    """

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
            together = _together(q)
            seconds = self._waits.quantiles(np.array(together), self._rests).tolist()
            self._quantiles.update(zip(together, seconds, strict=True))
        return self._quantiles[q]

    def interval(self, q: float) -> tuple[float, float]:
        """Return the ends of the 95% interval of the quantile `q`.

        With too few samples, return the interval of `Values`, widened to contain the quantile.
        """
        if self._plain:
            return super().interval(q)
        if q not in self._intervals:
            together = _together(q)
            self._intervals.update(zip(together, self._smoothed_intervals(together), strict=True))
        return self._intervals[q]

    def _smoothed_intervals(self, quantiles: tuple[float, ...]) -> Iterator[tuple[float, float]]:
        middles = np.array([self.quantile(q) for q in quantiles])
        errors = self._errors(middles)
        halves = np.maximum(Z975 * errors, 0.5 / self.count)  # at least half a sample
        ends = np.clip(np.outer((-1, 1), halves) + quantiles, _NEAR, 1 - _NEAR)
        near = float(halves.min()) / 100
        lows, highs = self._waits.quantiles(ends.ravel(), self._rests, near).reshape(2, -1).tolist()
        for q, middle, low, high in zip(quantiles, middles.tolist(), lows, highs, strict=True):
            if enclosed(self.count, q):
                yield low, high
            else:
                low, high = super().interval(q)
                yield min(low, middle), max(high, middle)

    def share(self, limit: float) -> tuple[float, float, float]:
        """Return the share of samples that are at most `limit`, and the two ends of the share's 95% interval.

        The interval is Wilson's for n samples. n is the actual number of samples, or `share * (1 - share) / error**2`
        if this is larger. `error` is the standard error of the share.
        """
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

    def group_quantiles(self, q: float) -> Floats | None:
        groups = None if self._plain else in_groups(self._waits.without(self.first))
        if groups is None:
            return super().group_quantiles(q)
        return self._waits.quantiles(np.full(len(groups), q), np.sort(groups))

    @property
    def _plain(self) -> bool:
        return not LEAST <= self.count <= KEPT

    @property
    def _rests(self) -> Floats:
        """Completion times minus the duration of the wait for a person: an array (1, n) of seconds, in rising order."""
        if self._rest is None:
            self._rest = np.sort(self._waits.without(self.first))[None]
        return self._rest

    def _errors(self, limits: Floats) -> Floats:
        """Return an array (k,): for each limit, the standard error of the share of completion times up to this limit.

        With a single sample, the errors are 0.

        limits : (k,) seconds
        """
        count = self._rests.shape[1]
        if count == 1:
            return np.zeros(len(limits))
        return np.asarray(self._waits.within(limits, self._rests).std(axis=1, ddof=1) / math.sqrt(count))


def _together(q: float) -> tuple[float, ...]:
    """Return all quantiles to compute if the quantile `q` is requested. For example, p90 comes with p50 and p95."""
    return _USUAL if q in _USUAL else (q,)
