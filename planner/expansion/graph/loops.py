"""Loops around work: the items of a fan-out, rounds and attempts, copies. An occurrence is a number for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop around work.

    kind : ``items`` and ``copies`` side by side, ``rounds`` one after the other; attempts are rounds
    first : of copies the first to end is waited for, not all
    path : of the step with the fan-out, whose draws the sizes of items are
    size : of its items, 1 on average; None: all alike
    sizes : of each item, 1 on average, where they are known
    same : of each item, the one that it is, where several agents do one
    """

    count: int
    kind: Literal["items", "rounds", "copies"] = "rounds"
    path: str = ""
    size: Estimate | None = None
    sizes: tuple[float, ...] | None = None
    same: tuple[int, ...] | None = None
    first: bool = False

    @property
    def items(self) -> bool:
        return self.kind == "items"


Loops = tuple[Loop, ...]
"""Outermost first."""

Index = tuple[int, ...]
"""An occurrence: a number for each loop; `EVERY` at the innermost fan-out, whose items are computed together."""

EVERY = -1


def innermost_items(loops: Loops) -> int | None:
    """Position of the innermost fan-out among loops."""
    return next((at for at in reversed(range(len(loops))) if loops[at].items), None)


def rows(loops: Loops) -> int:
    """Items of the innermost fan-out, which are computed together; 1 outside of any."""
    items = innermost_items(loops)
    return 1 if items is None else loops[items].count


def occurrences(loops: Loops) -> Iterator[Index]:
    """Every occurrence within loops, all items of the innermost fan-out at once."""
    items = innermost_items(loops)
    for index in np.ndindex(*(1 if at == items else loop.count for at, loop in enumerate(loops))):
        yield tuple(EVERY if at == items else int(number) for at, number in enumerate(index))


def own_row(loops: Loops, index: Index) -> tuple[Index, slice]:
    """The occurrence of what is drawn within `loops`, a part of those of `index`, and the rows that belong to `index`.

    It is drawn for all items of its own innermost fan-out; around another fan-out, `index` is of one of these.
    """
    around, items = index[: len(loops)], innermost_items(loops)
    if items is None or around[items] == EVERY:
        return around, slice(None)
    row = around[items]
    return (*around[:items], EVERY, *around[items + 1 :]), slice(row, row + 1)


def drawn_index(index: Index) -> tuple[int, ...]:
    """The part of an occurrence that is part of the key of its draws."""
    return tuple(number for number in index if number != EVERY)
