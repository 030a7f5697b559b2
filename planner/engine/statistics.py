"""Statistics of samples that assume nothing of their distribution, in memory that does not grow with them."""

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
"""The middle lies so far to both sides of one half."""


def normal_quantile(p: Floats) -> Floats:
    """z with Φ(z) = p, for 0 < p < 1; (n,)."""
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


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: Floats) -> Floats:
    above, below = (_polynomial(one, at) for one in coefficients)
    above /= below
    return above


def _polynomial(coefficients: tuple[float, ...], at: Floats) -> Floats:
    value = at * coefficients[0]
    for coefficient in coefficients[1:-1]:
        value += coefficient
        value *= at
    value += coefficients[-1]
    return value


Ints = NDArray[np.int64]

Z975 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

KEPT = 1 << 16
"""Samples that are kept one by one. Of more, quantiles are known to 1 part in 2¹⁵."""

_BIN_BITS = 52 - 14
"""Bits of a double that a bin leaves out: bins are 1 part in 2¹⁴ wide."""

_ROUNDING = 1e-12
"""Spreads of values that are within this share of their mean are of rounding."""

GROUPS = 16
"""Into which samples are parted, to see how much a statistic varies between them."""


class Values:
    """A quantity that is not negative, in each sample, in their order. The first `KEPT` are there one by one.

    What comes out does not depend on how many samples are added at a time: more than `KEPT` are summed up in so many.

    drawn : samples differ by what is drawn; if not, one of them is all of the distribution
    """

    def __init__(self) -> None:
        self.count = 0
        self.drawn = True
        self._kept: list[Floats] = []
        self._waiting: list[Floats] = []  # beyond those that are kept, until there are `KEPT`
        self._moments = (0, 0.0, 0.0)  # of all but those: count, mean, sum of squared distances from it
        self._bins = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)
        self._sorted: Floats | None = None
        self._all: tuple[int, float, float] | None = None  # moments of all

    def add(self, samples: Floats) -> None:
        """Add (n,) samples, at most `KEPT`."""
        room = KEPT - self.count % KEPT
        if len(samples) > room:
            self.add(samples[:room])
            samples = samples[room:]
        self._sorted = self._all = None
        self.count += len(samples)
        if self.count <= KEPT:
            self._kept.append(samples)
            return
        if not len(self._counts):
            self._fold(self.first)
        self._waiting.append(samples)
        if self.count % KEPT == 0:
            self._fold(np.concatenate(self._waiting))
            self._waiting = []

    @classmethod
    def of(cls, samples: Floats) -> Values:
        """Of (n,) samples."""
        found = cls()
        found.add(samples)
        return found

    @property
    def first(self) -> Floats:
        """The first `KEPT` samples, in their order."""
        if len(self._kept) > 1:
            self._kept = [np.concatenate(self._kept)]
        return self._kept[0] if self._kept else np.empty(0)

    @property
    def mean(self) -> float:
        return self._summed()[1]

    @property
    def standard_error(self) -> float:
        """Of the mean; 0 of a single sample."""
        count, mean, scatter = self._summed()
        if count < 2 or scatter <= count * (_ROUNDING * mean) ** 2:
            return 0.0
        return math.sqrt(scatter / (count - 1) / count)

    def quantile(self, q: float) -> float:
        """The quantile `q` from 0 to 1, interpolated linearly between samples."""
        place = q * (self.count - 1)
        low, high = self._ranked(math.floor(place)), self._ranked(math.ceil(place))
        return low + (high - low) * (place - math.floor(place))

    def share(self, limit: float) -> tuple[float, float, float]:
        """The share of samples that are at most so much, with its 95 % interval."""
        count = self._at_most(limit)
        return count / self.count, *share_interval(count, self.count)

    def group_medians(self) -> Floats | None:
        """(GROUPS,) medians of groups of the first `KEPT` samples; None where there are too few for groups of two."""
        groups = in_groups(self.first)
        return None if groups is None else medians(groups)

    def interval(self, q: float) -> tuple[float, float]:
        """95 % confidence interval of the quantile `q`, as `ranks`; of more than `KEPT` to the far ends of bins."""
        low, high = ranks(self.count, q)
        return self._ranked(low, 0.0), self._ranked(high, 1.0)

    def known_interval(self, q: float) -> tuple[float, float] | tuple[None, None]:
        """The same, or nothing where there are too few samples for it."""
        return self.interval(q) if enclosed(self.count, q) or not self.drawn else (None, None)

    def _at_most(self, limit: float) -> int:
        """How many samples are at most so much; of more than `KEPT` those whose bin begins there."""
        if self.count <= KEPT:
            return int(np.count_nonzero(self.first <= limit))
        starts = (self._bins << _BIN_BITS).view(np.float64)
        return int(self._counts[starts <= limit].sum())

    def _ranked(self, rank: int, within: float = 0.5) -> float:
        """The sample of a rank, from 0; of more than `KEPT` what lies so far into its bin, or 0 in the first."""
        if self.count <= KEPT:
            if self._sorted is None:
                self._sorted = np.sort(self.first)
            return float(self._sorted[rank])
        bins, counts = _counted(self._bins, self._counts, self._waiting)
        at = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
        if bins[at] == 0:
            return 0.0
        low, high = (np.array([bins[at], bins[at] + 1]) << _BIN_BITS).view(np.float64)
        return float(low + (high - low) * within)

    def _summed(self) -> tuple[int, float, float]:
        """Moments of all samples."""
        if self._all is None:
            rest = self._waiting if self.count > KEPT else self._kept
            self._all = _joined(self._moments, np.concatenate(rest)) if rest else self._moments
        return self._all

    def _fold(self, samples: Floats) -> None:
        self._moments = _joined(self._moments, samples)
        self._bins, self._counts = _counted(self._bins, self._counts, [samples])


def _joined(moments: tuple[int, float, float], samples: Floats) -> tuple[int, float, float]:
    """Count, mean and scatter with further samples (Chan, Golub and LeVeque 1979)."""
    count, mean, scatter = moments
    total, own = count + len(samples), float(samples.mean())
    apart = own - mean
    scatter += float(np.square(samples - own).sum()) + apart**2 * count * len(samples) / total
    return total, (mean + apart * len(samples) / total if count else own), scatter


def _counted(bins: Ints, counts: Ints, samples: list[Floats]) -> tuple[Ints, Ints]:
    """Bins in which there are any, and how many, with further samples."""
    if not samples:
        return bins, counts
    own, added = np.unique(np.concatenate(samples).view(np.int64) >> _BIN_BITS, return_counts=True)
    every, place = np.unique(np.concatenate([bins, own]), return_inverse=True)
    return every, np.bincount(place, np.concatenate([counts, added])).astype(np.int64)


def ranks(n: int, q: float) -> tuple[int, int]:
    """Ranks, from 0, of the samples among n iid ones that enclose the quantile `q`, 0 < q < 1, in 95 of 100 cases.

    They lie 1.96 standard deviations of Binomial(n, q) from n·q on either side (normal approximation, corrected for
    continuity, widened to whole ranks); the least or greatest sample where there is no such rank.
    """
    low, high = _wanted(n, q)
    return max(low, 0), min(high, n - 1)


def enclosed(n: int, q: float) -> bool:
    """Whether n samples are enough for both of these ranks."""
    low, high = _wanted(n, q)
    return low >= 0 and high <= n - 1


def _wanted(n: int, q: float) -> tuple[int, int]:
    spread = Z975 * math.sqrt(n * q * (1 - q))
    return math.floor(n * q - spread - 0.5), math.ceil(n * q + spread - 0.5)


def quantile_interval(samples: Floats, q: float) -> tuple[float, float]:
    """95 % confidence interval of the quantile `q`, 0 < q < 1, of iid samples, as `ranks`."""
    ordered = np.sort(samples)
    low, high = ranks(len(ordered), q)
    return float(ordered[low]), float(ordered[high])


def share_interval(count: int, n: int) -> tuple[float, float]:
    """95 % confidence interval of a share, of which `count` of n iid samples are."""
    low, high = wilson(count / n, n)
    return (low if count else 0.0), (high if count < n else 1.0)


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % confidence interval of a share that is known as from n iid samples: Wilson's (1927)."""
    weight = Z975**2 / n
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def medians(samples: Floats) -> Floats:
    """Medians of (…, n) samples along their last axis. numpy's own load its masked arrays, and take longer on few."""
    middle = (samples.shape[-1] - 1) // 2, samples.shape[-1] // 2
    parted = np.partition(samples, middle)
    return np.asarray((parted[..., middle[0]] + parted[..., middle[1]]) / 2)


def in_groups(samples: Floats) -> Floats | None:
    """(GROUPS, size) the first of (n,) samples; None where there are too few for groups of two."""
    size = len(samples) // GROUPS
    return None if size < 2 else samples[: size * GROUPS].reshape(GROUPS, size)


def standard_error(of_groups: Floats) -> float:
    """Of a statistic of all samples, from what it is in each of (GROUPS,) groups of them."""
    return float(np.std(of_groups, ddof=1) / math.sqrt(GROUPS))
