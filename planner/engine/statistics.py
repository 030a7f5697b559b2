"""Distribution-free statistics of samples, in memory that does not grow with their number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats

_MIDDLE = (
    (2.50908092873012267270e3, 3.34305755835881281050e4, 6.72657709270087008530e4, 4.59219539315498714570e4,
     1.37316937655094611250e4, 1.97159095030655144270e3, 1.33141667891784377450e2, 3.38713287279636660800e0),
    (5.22649527885285456100e3, 2.87290857357219426740e4, 3.93078958000927106100e4, 2.12137943015865958670e4,
     5.39419602142475110770e3, 6.87187007492057908300e2, 4.23133307016009112520e1, 1.0),
)  # fmt: skip
_TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip
_HALF_MIDDLE = 0.425
"""`_MIDDLE` applies within this distance of 0.5."""


def normal_quantile(p: Floats) -> Floats:
    """Return the quantiles of the standard normal distribution for probabilities `p`: an array (n,).

    p : (n,) probabilities, 0 < p < 1
    """
    from_half = p - 0.5
    inside = _HALF_MIDDLE**2 - from_half * from_half
    quantile = _ratio(_MIDDLE, inside)
    quantile *= from_half
    outside = np.flatnonzero(inside < 0)
    if outside.size:
        shares = p[outside]
        depth = np.sqrt(-np.log(np.minimum(shares, 1.0 - shares)))
        values = _ratio(_TAIL, depth - 1.6)
        far = np.flatnonzero(depth > 5)
        if far.size:
            values[far] = _ratio(_FAR, depth[far] - 5)
        quantile[outside] = np.copysign(values, from_half[outside])
    return quantile


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    numerator, denominator = (_polynomial(each, x) for each in coefficients)
    numerator /= denominator
    return numerator


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    value = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        value += coefficient
        value *= x
    value += coefficients[-1]
    return value


_Int64s = NDArray[np.int64]

Z975 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

KEPT = 1 << 16
"""Number of samples that are stored one by one. Quantiles of more samples are accurate to 1 part in 2¹⁵."""

_BIN_BITS = 52 - 14
"""Number of low bits of a double that a bin ignores. Bins are 1 part in 2¹⁴ wide."""

_ROUNDING = 1e-12
"""A standard deviation up to this share of the mean counts as rounding error."""

GROUPS = 16
"""Number of groups of samples. A standard error is estimated from a statistic of each group."""


class Values:
    """Samples of a quantity that is never negative, such as a completion time.

    Up to `KEPT` samples are stored individually. If there are more, samples are counted in bins of nearly equal values.
    The results do not depend on how the samples are divided among calls of `add`.

    drawn : whether the samples depend on random draws. If not, all samples are equal
    """

    def __init__(self) -> None:
        self.count = 0
        self.drawn = True
        self._stored: list[Floats] = []
        self._waiting: list[Floats] = []  # samples not yet in bins, until there are `KEPT` of them
        self._moments = (0, 0.0, 0.0)  # of samples in bins: count, mean, sum of squared distances from the mean
        self._bins = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)
        self._sorted: Floats | None = None
        self._all: tuple[int, float, float] | None = None  # moments of all samples

    def add(self, samples: Floats) -> None:
        """Add an array (n,) of samples. n is at most `KEPT`."""
        room = KEPT - self.count % KEPT
        if len(samples) > room:
            self.add(samples[:room])
            samples = samples[room:]
        self._sorted = self._all = None
        self.count += len(samples)
        if self.count <= KEPT:
            self._stored.append(samples)
            return
        if not len(self._counts):
            self._fold(self.first)
        self._waiting.append(samples)
        if self.count % KEPT == 0:
            self._fold(np.concatenate(self._waiting))
            self._waiting = []

    @classmethod
    def of(cls, samples: Floats) -> Values:
        """Return a new `Values` that contains an array (n,) of samples. n is at most `KEPT`."""
        values = cls()
        values.add(samples)
        return values

    @property
    def first(self) -> Floats:
        """The first `KEPT` samples, in the order in which they were added."""
        if len(self._stored) > 1:
            self._stored = [np.concatenate(self._stored)]
        return self._stored[0] if self._stored else np.empty(0)

    @property
    def mean(self) -> float:
        return self._summed()[1]

    @property
    def standard_error(self) -> float:
        """Standard error of the mean of all samples; 0 for a single sample."""
        count, mean, scatter = self._summed()
        if count < 2 or scatter <= count * (_ROUNDING * mean) ** 2:
            return 0.0
        return math.sqrt(scatter / (count - 1) / count)

    def quantile(self, q: float) -> float:
        """Return the quantile `q` of the samples, where 0 ≤ q ≤ 1. Between two samples, interpolate linearly."""
        rank = q * (self.count - 1)
        low, high = self._ranked(math.floor(rank)), self._ranked(math.ceil(rank))
        return low + (high - low) * (rank - math.floor(rank))

    def share(self, limit: float) -> tuple[float, float, float]:
        """Return the share of samples that are at most `limit`, and the two ends of the share's 95% interval."""
        count = self._at_most(limit)
        return count / self.count, *share_interval(count, self.count)

    def group_medians(self) -> Floats | None:
        """Divide the first `KEPT` samples into equal groups. Return an array (GROUPS,) with the median of each group.

        Return None if the groups would have fewer than two samples.
        """
        groups = in_groups(self.first)
        return None if groups is None else medians(groups)

    def group_quantiles(self, q: float) -> Floats | None:
        """Return an array (GROUPS,) with the quantile `q` of each group of `group_medians`.

        Return None if the groups would have fewer than two samples.
        """
        groups = in_groups(self.first)
        return None if groups is None else np.asarray(np.quantile(groups, q, axis=1))

    def interval(self, q: float) -> tuple[float, float]:
        """Return the ends of the 95% interval of the quantile `q`.

        With over `KEPT` samples, samples are counted in bins. Each end of the interval is then the edge of a bin.
        """
        low, high = ranks(self.count, q)
        return self._ranked(low, 0.0), self._ranked(high, 1.0)

    def known_interval(self, q: float) -> tuple[float, float] | tuple[None, None]:
        """Return the ends of the 95% interval of the quantile `q`.

        Return (None, None) if the samples are random and too few for an interval.
        """
        return self.interval(q) if enclosed(self.count, q) or not self.drawn else (None, None)

    def _at_most(self, limit: float) -> int:
        """Return the number of samples that are at most `limit`.

        With over `KEPT` samples, samples are counted in bins. The result includes all samples in the bin of `limit`.
        """
        if self.count <= KEPT:
            return int(np.count_nonzero(self.first <= limit))
        bins, counts = _counted(self._bins, self._counts, self._waiting)
        starts = (bins << _BIN_BITS).view(np.float64)
        return int(counts[starts <= limit].sum())

    def _ranked(self, rank: int, within: float = 0.5) -> float:
        """Return the sample at the position `rank` in rising order. The first sample has the position 0.

        With over `KEPT` samples, samples are counted in bins. The result is then a point in the bin of the sample. For
        the bin that begins at 0, this point is 0.

        within : relative position of the point in its bin, from 0 (the lower end) to 1 (the upper end)
        """
        if self.count <= KEPT:
            if self._sorted is None:
                self._sorted = np.sort(self.first)
            return float(self._sorted[rank])
        bins, counts = _counted(self._bins, self._counts, self._waiting)
        index = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
        if bins[index] == 0:
            return 0.0
        low, high = (np.array([bins[index], bins[index] + 1]) << _BIN_BITS).view(np.float64)
        return float(low + (high - low) * within)

    def _summed(self) -> tuple[int, float, float]:
        """Return the count of all samples, their mean, and the sum of their squared distances from the mean."""
        if self._all is None:
            rest = self._waiting if self.count > KEPT else self._stored
            self._all = _joined(self._moments, np.concatenate(rest)) if rest else self._moments
        return self._all

    def _fold(self, samples: Floats) -> None:
        self._moments = _joined(self._moments, samples)
        self._bins, self._counts = _counted(self._bins, self._counts, [samples])


def _joined(moments: tuple[int, float, float], samples: Floats) -> tuple[int, float, float]:
    """Return the moments of old and new samples together (Chan, Golub and LeVeque 1979).

    moments : count, mean, and sum of squared distances from the mean, for the old samples
    samples : the new samples
    """
    count, mean, scatter = moments
    total, further_mean = count + len(samples), float(samples.mean())
    distance = further_mean - mean
    scatter += float(np.square(samples - further_mean).sum()) + distance**2 * count * len(samples) / total
    return total, (mean + distance * len(samples) / total if count else further_mean), scatter


def _counted(bins: _Int64s, counts: _Int64s, samples: list[Floats]) -> tuple[_Int64s, _Int64s]:
    """Count further samples in bins. Return two arrays: the bins that contain samples, and the count of each bin.

    bins, counts : these two arrays for the earlier samples
    """
    if not samples:
        return bins, counts
    further, added = np.unique(np.concatenate(samples).view(np.int64) >> _BIN_BITS, return_counts=True)
    occupied, index = np.unique(np.concatenate([bins, further]), return_inverse=True)
    return occupied, np.bincount(index, np.concatenate([counts, added])).astype(np.int64)


def ranks(n: int, q: float) -> tuple[int, int]:
    """Return the positions of two samples that enclose the quantile `q` with 95% confidence, where 0 < q < 1.

    The n samples are independent and in rising order. The first sample has the position 0.

    By the normal approximation, the positions are `n * q - 0.5 ± 1.96 * sqrt(n * q * (1 - q))`. They are rounded
    outwards, and limited to 0 and n − 1.
    """
    low, high = _unclipped_ranks(n, q)
    return max(low, 0), min(high, n - 1)


def enclosed(n: int, q: float) -> bool:
    """Whether `n` samples are enough for a 95% interval of the quantile `q`."""
    low, high = _unclipped_ranks(n, q)
    return low >= 0 and high <= n - 1


def _unclipped_ranks(n: int, q: float) -> tuple[int, int]:
    spread = Z975 * math.sqrt(n * q * (1 - q))
    return math.floor(n * q - spread - 0.5), math.ceil(n * q + spread - 0.5)


def quantile_interval(samples: Floats, q: float) -> tuple[float, float]:
    """Return the ends of the 95% interval of the quantile `q`, where 0 < q < 1. The samples must be independent."""
    ordered = np.sort(samples)
    low, high = ranks(len(ordered), q)
    return float(ordered[low]), float(ordered[high])


def share_interval(count: int, n: int) -> tuple[float, float]:
    """Return the ends of the 95% interval of a probability. The event occurs in `count` of `n` independent samples."""
    low, high = wilson(count / n, n)
    return (low if count else 0.0), (high if count < n else 1.0)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the ends of the 95% interval of a share (Wilson 1927).

    n : number of independent samples from which the share is estimated
    """
    weight = Z975**2 / n
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def medians(samples: Floats) -> Floats:
    """Return medians along the last axis of an array.

    `np.median` is slower for few samples, and it loads the masked arrays of numpy.
    """
    middle = (samples.shape[-1] - 1) // 2, samples.shape[-1] // 2
    partitioned = np.partition(samples, middle)
    return np.asarray((partitioned[..., middle[0]] + partitioned[..., middle[1]]) / 2)


def in_groups(samples: Floats) -> Floats | None:
    """Divide samples into groups of equal size. Return an array (GROUPS, size), and drop left-over samples.

    Return None if the groups would have fewer than two samples.
    """
    size = len(samples) // GROUPS
    return None if size < 2 else samples[: size * GROUPS].reshape(GROUPS, size)


def standard_error(by_group: Floats) -> float:
    """Estimate the standard error of a statistic, such as a median, from its values for groups of samples.

    by_group : (GROUPS,) value of the statistic for each group
    """
    return float(np.std(by_group, ddof=1) / math.sqrt(GROUPS))
