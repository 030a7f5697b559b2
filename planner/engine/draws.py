"""Random draws that depend on what is drawn, not on who draws or in what order.

A stream of draws is keyed by (seed, block of samples, declared path, purpose, occurrence), and holds a row for each
item and a column for each of `BLOCK` samples. So the same step of the same item draws the same numbers whatever else
the workflow holds, however many agents there are, and whichever samples are computed first; more items add rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 256
"""Samples in a block. Part of the key: changing it changes every draw."""

_ZEROS = np.zeros(4, np.uint64)

_ROWS = 1 << 12
"""Rows drawn at once where only some samples of a block are kept."""


@dataclass(frozen=True)
class Samples:
    """Samples `low` to `high` − 1 of block number `block`, under a seed."""

    seed: int
    block: int
    low: int = 0
    high: int = BLOCK

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= BLOCK:
            raise ValueError(f"samples {self.low} to {self.high} are not within a block of {BLOCK}")

    def __len__(self) -> int:
        return self.high - self.low

    def normal(self, rows: int, path: str, purpose: str, occurrence: tuple[int, ...] = ()) -> Floats:
        """Standard normal draws, (rows, samples)."""
        return self._draw(self._stream(path, purpose, occurrence).standard_normal, rows)

    def exponential(self, rows: int, path: str, purpose: str, occurrence: tuple[int, ...] = ()) -> Floats:
        """Exponential draws with mean 1, (rows, samples)."""
        return self._draw(self._stream(path, purpose, occurrence).standard_exponential, rows)

    def uniform(self, rows: int, path: str, purpose: str, occurrence: tuple[int, ...] = ()) -> Floats:
        """Uniform draws in [0, 1), (rows, samples)."""
        return self._draw(self._stream(path, purpose, occurrence).random, rows)

    def _stream(self, path: str, purpose: str, occurrence: tuple[int, ...]) -> np.random.Generator:
        """The stream's generator, at its beginning; valid until the next call."""
        text = "\0".join((str(self.seed), str(self.block), path, purpose, *map(str, occurrence)))
        key = np.frombuffer(blake2b(text.encode(), digest_size=16).digest(), "<u8")
        self._generator.bit_generator.state = {
            "bit_generator": "Philox",
            "state": {"counter": _ZEROS, "key": key},
            "buffer": _ZEROS,
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }
        return self._generator

    @cached_property
    def _generator(self) -> np.random.Generator:
        """One generator whose state is set for each stream: a tenth of the time of making one."""
        return np.random.Generator(np.random.Philox(key=0))

    def _draw(self, draw: Callable[[tuple[int, int]], Floats], rows: int) -> Floats:
        if len(self) == BLOCK:
            return draw((rows, BLOCK))
        kept = np.empty((rows, len(self)))
        for first in range(0, rows, _ROWS):
            last = min(rows, first + _ROWS)
            kept[first:last] = draw((last - first, BLOCK))[:, self.low : self.high]
        return kept
