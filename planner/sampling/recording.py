"""Samples that remember what was drawn: the mean of each stream in each sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Cells, Occurrence, Samples
from planner.reading.estimates.estimate import Estimate

Stream = tuple[str, str]
"""Path and purpose of draws."""

_SAMPLE = np.uint64((1 << 32) - 1)


@dataclass(frozen=True)
class StreamValues:
    """How draws of a stream become values.

    estimate : the estimate they are draws of, or None
    sigma : without an estimate, the log-sd of the lognormal factor they make; 0: the draws are the values
    """

    estimate: Estimate | None = None
    sigma: float = 0.0

    def of_normal(self, z: Floats) -> Floats:
        spread = self.sigma if self.estimate is None else min(self.estimate.sigma, 20.0)
        return np.exp(spread * z) if spread else z

    def of_uniform(self, u: Floats) -> Floats:
        if self.estimate is None or self.estimate.shape != "empirical":
            return u
        return np.asarray(np.array(self.estimate.points)[(u * len(self.estimate.points)).astype(int)])


_DRAWS_THEMSELVES = StreamValues()


@dataclass(frozen=True)
class RecordingSamples(Samples):
    """Samples that add up the values of their draws. The draws are those of `Samples`, to the bit."""

    streams: Mapping[Stream, StreamValues] = field(default_factory=dict, compare=False)
    _sums: dict[Stream, tuple[Floats, Floats]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def normal(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        z = super().normal(cells, path, purpose, occurrence)
        stream = path, purpose
        self._add(cells, stream, self.streams.get(stream, _DRAWS_THEMSELVES).of_normal(z))
        return z

    def exponential(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        values = super().exponential(cells, path, purpose, occurrence)
        self._add(cells, (path, purpose), values)
        return values

    def uniform(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        u = super().uniform(cells, path, purpose, occurrence)
        stream = path, purpose
        self._add(cells, stream, self.streams.get(stream, _DRAWS_THEMSELVES).of_uniform(u))
        return u

    def mean(self, stream: Stream) -> Floats:
        """Mean of the values of a stream in each sample, (S,); 0 where nothing was drawn."""
        if stream not in self._sums:
            return np.zeros(len(self))
        total, count = self._sums[stream]
        return np.asarray(total / np.maximum(count, 1))

    def _add(self, cells: int | Cells, stream: Stream, values: Floats) -> None:
        total, count = self._sums.setdefault(stream, (np.zeros(len(self)), np.zeros(len(self))))
        if isinstance(cells, int):
            total += values.sum(0)
            count += len(values)
        else:
            sample = (cells.reshape(-1) & _SAMPLE).astype(np.int64) - self.low
            total += np.bincount(sample, values.reshape(-1), len(self))
            count += np.bincount(sample, minlength=len(self))
