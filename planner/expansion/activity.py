"""Where guards hold and hands take or give, for the samples of a slice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from planner.engine.draws import Samples
from planner.expansion.chain import Hand, Plan
from planner.expansion.fragments import NO_POOL
from planner.expansion.work import EVERY, Guard, Index, Loops, innermost_items

Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]


def occurrences(loops: Loops) -> Iterator[Index]:
    """Every occurrence within loops, all items of the innermost fan-out at once."""
    items = innermost_items(loops)
    for index in np.ndindex(*(1 if at == items else loop.count for at, loop in enumerate(loops))):
        yield tuple(EVERY if at == items else int(number) for at, number in enumerate(index))


def tasks_at(tasks: Ints, index: Index) -> Ints:
    """(rows,) tasks of an occurrence: one, or one for each item."""
    return np.atleast_1d(tasks[tuple(slice(None) if number == EVERY else number for number in index)])


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


class Activity:
    """Draws of conditions, each once."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.known: dict[tuple[Guard, Index], Bools] = {}
        self.hands: dict[tuple[Plan, Index], dict[Hand, Bools]] = {}

    def holds(self, guard: Guard | None, index: Index) -> Bools | None:
        """Where a guard holds at an occurrence of what it guards, (rows or 1, samples); None: everywhere."""
        return None if guard is None else self.guarded(guard, index)

    def guarded(self, guard: Guard, index: Index) -> Bools:
        """As `holds`, of a guard."""
        around, rows = own_row(guard.loops, index)
        return self._values(guard, around)[rows]

    def _values(self, guard: Guard, index: Index) -> Bools:
        if (guard, index) not in self.known:
            items = innermost_items(guard.loops)
            rows = 1 if items is None else guard.loops[items].count
            key = drawn_index(index)
            if guard.kind == "draw":
                u = self.samples.uniform(rows, guard.path, "chance", key)
                values = (u >= guard.low) & (u < guard.high)
            else:
                values = np.ones((rows, len(self.samples)), bool)
                for before in range(key[-1]):
                    values &= self.samples.uniform(rows, guard.path, "accepted", (*key[:-1], before)) >= guard.high
            parent = self.holds(guard.parent, index)
            self.known[guard, index] = values if parent is None else values & parent
        return self.known[guard, index]

    def moves(self, hand: Hand, index: Index) -> Bools:
        """Where a hand has something to take or give, at an occurrence of its item."""
        key = hand.plan, index
        if key not in self.hands:
            self.hands[key] = dict(self._follow(hand.plan, index))
        return self.hands[key][hand]

    def _follow(self, plan: Plan, index: Index) -> Iterator[tuple[Hand, Bools]]:
        """Go through the pieces of an item, keeping whose agent it holds."""
        rows = plan.loops[-1].count
        held = np.full((rows, len(self.samples)), NO_POOL)
        for position, piece in enumerate((*plan.pieces, None)):
            if piece is None:
                active, pool = np.ones_like(held, bool), NO_POOL
            else:
                found = self.holds(piece.guard, index + piece.inner)
                active, pool = (
                    (np.ones_like(held, bool) if found is None else np.broadcast_to(found, held.shape)),
                    piece.pool,
                )
            for hand in (hand for hand in plan.hands if hand.position == position):
                yield hand, active & ((held != pool) if hand.takes else (held == hand.pool) & (held != pool))
            held = np.where(active, pool, held)
            if piece is not None and piece.apart:
                held = np.where(active, NO_POOL, held)
