"""Random draws that depend on what is drawn, not on who draws or in what order.

A draw is a function of (seed, declared path, purpose, occurrence), which make the key of a stream, and of the item and
the sample, which count within it. So the same step of the same item draws the same numbers whatever else the workflow
holds, however many agents or items there are, and whichever samples are computed, together or alone, in any order.

Uniform draws are two rounds of the finaliser of SplitMix64 (Steele, Lea and Flood 2014; constants of Stafford's variant
13) over the counter, the first keyed by addition, the second by exclusive or. Normal draws are quantiles of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.statistics import normal_quantile

Cells = NDArray[np.uint64]
"""Which item and sample: item · 2³² + sample."""


@dataclass(frozen=True)
class Turns:
    """Several turns that are drawn in one call, each for some cells: a call costs as much as thousands of draws.

    counts : of cells, which follow one another in the order of their turns
    """

    numbers: Sequence[int]
    counts: Sequence[int]


Occurrence = tuple[int | Turns, ...]
"""Which round, copy and turn; of turns one at most."""

MOST = 1 << 32
"""Samples, and items, that a stream can tell apart."""

_CHUNK = 8192
"""Draws made at once, so that what is worked with stays in the processor's cache."""

_GOLDEN, _M1, _M2 = map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_S11, _S27, _S30, _S31, _S32 = map(np.uint64, (11, 27, 30, 31, 32))


@dataclass(frozen=True)
class Samples:
    """Samples `low` to `high` − 1 under a seed.

    drawn : paths for which something was drawn
    """

    seed: int
    low: int
    high: int
    drawn: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= MOST:
            raise ValueError(f"samples {self.low} to {self.high} are not within 0 to {MOST}")

    def __len__(self) -> int:
        return self.high - self.low

    def cells(self, rows: int) -> Cells:
        """(rows, samples): all samples of items 0 to `rows` − 1."""
        if rows not in self._cells:
            items = np.arange(rows, dtype=np.uint64)[:, None] << _S32
            self._cells[rows] = items | np.arange(self.low, self.high, dtype=np.uint64)
        return self._cells[rows]

    def normal(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        """Standard normal draws for cells, or for all samples of so many items: of the shape of the cells."""
        return self._draw(normal_quantile, cells, path, purpose, occurrence)

    def exponential(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        """Exponential draws with mean 1, likewise."""
        return self._draw(lambda u: -np.log(u), cells, path, purpose, occurrence)

    def uniform(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        """Uniform draws in (0, 1), likewise."""
        return self._draw(lambda u: u, cells, path, purpose, occurrence)

    def _draw(
        self,
        shape: Callable[[Floats], Floats],
        cells: int | Cells,
        path: str,
        purpose: str,
        occurrence: Occurrence,
    ) -> Floats:
        self.drawn.add(path)
        chosen = self.cells(cells) if isinstance(cells, int) else cells
        keys = self._keys(path, purpose, occurrence)
        flat, drawn = chosen.reshape(-1), np.empty(chosen.size)
        for low in range(0, flat.size, _CHUNK):
            part = slice(low, low + _CHUNK)
            first, second = keys if keys.ndim == 1 else keys[:, part]
            drawn[part] = shape(_uniform(flat[part], first, second))
        return drawn.reshape(chosen.shape)

    def _keys(self, path: str, purpose: str, occurrence: Occurrence) -> Cells:
        """(2,) of a stream, or (2, cells) of several turns."""
        for at, turns in enumerate(occurrence):
            if isinstance(turns, Turns):
                before, after = occurrence[:at], occurrence[at + 1 :]
                each = [self._keys(path, purpose, (*before, number, *after)) for number in turns.numbers]
                return np.repeat(each, turns.counts, axis=0).T
        text = "\0".join((str(self.seed), path, purpose, *map(str, occurrence)))
        return np.frombuffer(blake2b(text.encode(), digest_size=16).digest(), "<u8")

    @cached_property
    def _cells(self) -> dict[int, Cells]:
        return {}


def _uniform(cells: Cells, first: np.uint64 | Cells, second: np.uint64 | Cells) -> Floats:
    """The middles of 2⁵³ equal parts of (0, 1)."""
    state = cells * _GOLDEN
    state += first
    room = np.empty_like(state)
    _mix(state, room)
    state ^= second
    _mix(state, room)
    state >>= _S11
    drawn = state.astype(np.float64)
    drawn += 0.5
    drawn *= 2.0**-53
    return drawn


def _mix(state: Cells, room: Cells) -> None:
    """The finaliser of SplitMix64, in place."""
    for shift, factor in ((_S30, _M1), (_S27, _M2)):
        np.right_shift(state, shift, out=room)
        state ^= room
        state *= factor
    np.right_shift(state, _S31, out=room)
    state ^= room
