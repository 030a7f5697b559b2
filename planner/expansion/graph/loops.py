"""Loops around work: items of a fan-out, rounds, attempts, copies. An occurrence has one number for each loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop around work.

    kind : ``items`` and ``copies`` run side by side, ``rounds`` in sequence; attempts are rounds
    path : of the step with the fan-out, which names the draws of item sizes
    size : estimate of an item's size, used relative to its mean; None: not drawn
    sizes : given relative size of each item, with mean 1
    same : item that each row does, if several agents do the same item; None: row and item are the same
    race : the first copy to finish ends the loop
    """

    count: int
    kind: Literal["items", "rounds", "copies"] = "rounds"
    path: str = ""
    size: Estimate | None = None
    sizes: tuple[float, ...] | None = None
    same: tuple[int, ...] | None = None
    race: bool = False

    @property
    def items(self) -> bool:
        return self.kind == "items"


Loops = tuple[Loop, ...]
"""Outermost first."""

Index = tuple[int, ...]
"""An occurrence: a number for each loop, or `EVERY` for the innermost fan-out, whose items are computed together."""

EVERY = -1


def innermost_items(loops: Loops) -> int | None:
    """Position of the innermost fan-out among loops; None: there is none."""
    return next((position for position in reversed(range(len(loops))) if loops[position].items), None)


def rows(loops: Loops) -> int:
    """Number of items of the innermost fan-out, which are computed together; 1 without a fan-out."""
    items = innermost_items(loops)
    return 1 if items is None else loops[items].count


def occurrences(loops: Loops) -> Iterator[Index]:
    """Every occurrence within loops; all items of the innermost fan-out are one occurrence."""
    items = innermost_items(loops)
    for index in np.ndindex(*(1 if position == items else loop.count for position, loop in enumerate(loops))):
        yield tuple(EVERY if position == items else int(number) for position, number in enumerate(index))


def drawn_rows(loops: Loops, index: Index) -> tuple[Index, slice]:
    """The occurrence at which a quantity with these loops is drawn, and the rows of the draw that belong to `index`.

    A quantity is drawn for all items of its innermost fan-out together. If `index` is one of these items, because it
    belongs to a fan-out within, only the row of this item belongs to it.

    loops : around the quantity, the first of the loops of `index`
    """
    around, items = index[: len(loops)], innermost_items(loops)
    if items is None or around[items] == EVERY:
        return around, slice(None)
    row = around[items]
    return (*around[:items], EVERY, *around[items + 1 :]), slice(row, row + 1)


def drawn_index(index: Index) -> tuple[int, ...]:
    """The numbers of an occurrence that are part of the key of its draws: all but `EVERY`."""
    return tuple(number for number in index if number != EVERY)
