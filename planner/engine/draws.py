"""Counter-based random draws: each is a function of its key and position, so the order of drawing does not matter.

The key of a stream is (seed, declared path, purpose, occurrence). The position in it is (row, sample); rows are items
or copies. So the numbers that a step draws for an item do not depend on the rest of the workflow, or on the numbers of
agents and items. Samples can be computed together or alone, in any order.

Uniform draws result from two rounds of the finaliser of SplitMix64 on the position (Steele, Lea and Flood 2014;
constants of Stafford's variant 13). The key of a stream is hashed to two numbers. The first round adds the first
number. The second round applies exclusive or with the second number. Normal draws are quantiles of uniform draws.
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
"""Positions in a stream: row · 2³² + sample. Rows are items or copies."""


@dataclass(frozen=True)
class Turns:
    """Several turns of an agent loop. Their random numbers are drawn in one call, because each call is expensive.

    numbers : for each turn, its index in the loop
    counts : for each turn, the number of its draws. Draws are sorted by turn
    """

    numbers: Sequence[int]
    counts: Sequence[int]


Occurrence = tuple[int | Turns, ...]
"""Indices of round, copy and turn. At most one of them is a `Turns`."""

Transform = Callable[[Floats], Floats]
"""A function that converts uniform draws to draws from another distribution. It identifies the distribution."""

MOST = 1 << 32
"""A stream has at most this number of samples and at most this number of items."""

_CHUNK = 8192
"""Draws per pass, so that the working arrays fit in the processor's cache."""

_GOLDEN, _M1, _M2 = map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_S11, _S27, _S30, _S31, _S32 = map(np.uint64, (11, 27, 30, 31, 32))


@dataclass(frozen=True)
class Samples:
    """The samples with the numbers `low` to `high` − 1, and a seed for their random draws.

    drawn : paths of the steps for which random numbers have been drawn
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
        """Return an array (rows, samples) of positions in a random stream: one position for each item and sample.

        rows : number of items
        """
        if rows not in self._cells:
            items = np.arange(rows, dtype=np.uint64)[:, None] << _S32
            self._cells[rows] = items | np.arange(self.low, self.high, dtype=np.uint64)
        return self._cells[rows]

    def normal(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        """Return draws from the standard normal distribution.

        cells : number of items, for a result of the shape (items, samples). Or an array of positions in the stream, for
            a result of the same shape
        path, purpose, occurrence : key of the random stream: path of a step, purpose, and indices of round, copy and
            turn
        """
        return self._draw(normal_quantile, cells, path, purpose, occurrence)

    def exponential(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        """Return draws from the exponential distribution with mean 1. The arguments are the same as for `normal`."""
        return self._draw(_exponential, cells, path, purpose, occurrence)

    def uniform(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        """Return draws from the uniform distribution on (0, 1). The arguments are the same as for `normal`."""
        return self._draw(_unchanged, cells, path, purpose, occurrence)

    def _draw(
        self,
        transform: Transform,
        cells: int | Cells,
        path: str,
        purpose: str,
        occurrence: Occurrence,
    ) -> Floats:
        self.drawn.add(path)
        chosen = self.cells(cells) if isinstance(cells, int) else cells
        keys = self._keys(path, purpose, occurrence)
        flat, draws = chosen.reshape(-1), np.empty(chosen.size)
        for low in range(0, flat.size, _CHUNK):
            part = slice(low, low + _CHUNK)
            first, second = keys if keys.ndim == 1 else keys[:, part]
            draws[part] = transform(_uniform(flat[part], first, second))
        return draws.reshape(chosen.shape)

    def _keys(self, path: str, purpose: str, occurrence: Occurrence) -> Cells:
        """Hash the key of a random stream. Return two numbers: an array (2,).

        If `occurrence` contains a `Turns`, return two numbers for each draw: an array (2, draws).
        """
        for index, turns in enumerate(occurrence):
            if isinstance(turns, Turns):
                before, after = occurrence[:index], occurrence[index + 1 :]
                keys = [self._keys(path, purpose, (*before, number, *after)) for number in turns.numbers]
                return np.repeat(keys, turns.counts, axis=0).T
        text = "\0".join((str(self.seed), path, purpose, *map(str, occurrence)))
        return np.frombuffer(blake2b(text.encode(), digest_size=16).digest(), "<u8")

    @cached_property
    def _cells(self) -> dict[int, Cells]:
        return {}


def _exponential(u: Floats) -> Floats:
    return -np.log(u)


def _unchanged(u: Floats) -> Floats:
    return u


def _uniform(cells: Cells, first: np.uint64 | Cells, second: np.uint64 | Cells) -> Floats:
    """Return uniform draws from (0, 1). Each draw is `(k + 0.5) / 2**53` with a random whole number k.

    cells : position of each draw in its stream
    first, second : the two hashes of the stream's key
    """
    state = cells * _GOLDEN
    state += first
    scratch = np.empty_like(state)
    _mix(state, scratch)
    state ^= second
    _mix(state, scratch)
    state >>= _S11
    draws = state.astype(np.float64)
    draws += 0.5
    draws *= 2.0**-53
    return draws


def _mix(state: Cells, scratch: Cells) -> None:
    """Hash each number in `state` in place, with the finaliser of SplitMix64. `scratch` is working memory."""
    for shift, factor in ((_S30, _M1), (_S27, _M2)):
        np.right_shift(state, shift, out=scratch)
        state ^= scratch
        state *= factor
    np.right_shift(state, _S31, out=scratch)
    state ^= scratch
