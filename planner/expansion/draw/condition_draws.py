"""Where conditions hold, steps fail, and hands take or give, for the samples of a slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.graph.conditions import (
    Agents,
    Attempt,
    ChanceHolds,
    ConflictOccurs,
    Counted,
    Guard,
    ItemExists,
    Outcome,
    Round,
    StepFailed,
)
from planner.expansion.graph.fragments import NO_POOL
from planner.expansion.graph.loops import (
    EVERY,
    Index,
    Loop,
    drawn_index,
    innermost_items,
    own_row,
    rows,
)
from planner.expansion.graph.segments import ItemPlan, SeizeRelease

TimedOut = Callable[[Attempt, Index], Bools]
Condition = TypeVar("Condition", bound=Guard)


class ConditionDraws:
    """Draws of conditions, each once. `timed_out`: where an attempt, at an occurrence of it, takes too long."""

    def __init__(self, samples: Samples, timed_out: TimedOut) -> None:
        self.samples = samples
        self.timed_out = timed_out
        self.known: dict[tuple[object, Index], Bools] = {}
        self.before: dict[tuple[Guard, Index], list[Bools]] = {}
        self.hands: dict[tuple[ItemPlan, Index], dict[SeizeRelease, Bools]] = {}

    def active(self, guard: Guard | None, index: Index) -> Bools | None:
        """Where a guard holds at an occurrence of what it guards, (rows or 1, samples); None: everywhere."""
        return None if guard is None else self.holds(guard, index)

    def holds(self, guard: Guard, index: Index) -> Bools:
        """As `holds`, of a guard."""
        around, chosen = own_row(guard.loops, index)
        values = self._values(guard, around)
        return values[chosen] if len(values) > 1 else values

    def _values(self, guard: Guard, index: Index) -> Bools:
        if (guard, index) not in self.known:
            values = self._own(guard, index)
            parent = self.active(guard.parent, index)
            self.known[guard, index] = values if parent is None else values & parent
        return self.known[guard, index]

    def _own(self, guard: Guard, index: Index) -> Bools:
        """Where a guard holds if those around it do."""
        if isinstance(guard, ChanceHolds):
            u = self.samples.uniform(rows(guard.loops), guard.path, "chance", drawn_index(index))
            return (u >= guard.low) & (u < guard.high)
        if isinstance(guard, Round):
            return self._all_before(guard, index, self.rejected)
        if isinstance(guard, Attempt):
            return self._all_before(guard, index, self.lost)
        if isinstance(guard, ConflictOccurs):
            return self._all(self.clashes(guard, (*index[:-1], found)) for found in range(index[-1] + 1))
        if isinstance(guard, ItemExists):
            count = self.count(guard.counted, index[:-1])
            items = np.array(guard.loops[-1].same or range(rows(guard.loops)))
            return np.asarray((items[:, None] < count) & (count > guard.several))
        assert isinstance(guard, StepFailed)
        return self.fails(guard.outcome, index)

    def _all_before(self, guard: Condition, index: Index, condition: Callable[[Condition, Index], Bools]) -> Bools:
        """Where a condition holds of all rounds before that of `index`; each is asked for once, however many follow."""
        found = self.before.setdefault((guard, index[:-1]), [np.ones((1, 1), bool)])
        while len(found) <= index[-1]:
            found.append(found[-1] & condition(guard, (*index[:-1], len(found) - 1)))
        return found[index[-1]]

    @staticmethod
    def _all(conditions: Iterator[Bools]) -> Bools:
        values: Bools = np.ones((1, 1), bool)
        for condition in conditions:
            values = values & condition
        return values

    def rejected(self, guard: Round, index: Index) -> Bools:
        """Where a round is rejected, if it is done."""
        u = self.samples.uniform(rows(guard.loops), guard.path, "accepted", drawn_index(index))
        values: Bools = u >= guard.until
        for body in guard.body:
            values = values | self.fails(body, index)
        return values

    def lost(self, guard: Attempt, index: Index) -> Bools:
        """Where an attempt fails, if it is made."""
        values: Bools = np.zeros((1, 1), bool)
        if guard.chance:
            u = self.samples.uniform(rows(guard.loops), guard.path, "attempt", drawn_index(index))
            values = u < guard.chance
        return values if guard.timeout is None else values | self.timed_out(guard, index)

    def clashes(self, guard: ConflictOccurs, index: Index) -> Bools:
        """Where a merge finds a conflict: chance 1 − (1 − c)^(n − 1), on the same draw for every n."""
        u = self.samples.uniform(rows(guard.loops), guard.path, "conflict", drawn_index(index))
        return np.asarray(u >= (1.0 - guard.chance) ** (self.agents(guard.agents, index[:-2]) - 1.0))

    def count(self, counted: Counted, index: Index) -> Floats:
        """The drawn number of items of a fan-out, at an occurrence of it: (1, samples)."""
        around, chosen = own_row(counted.loops, index)
        key = drawn_index(around)
        values = draw_estimate(counted.estimate, self.samples, rows(counted.loops), counted.path, "count", key)
        values = np.minimum(values, float(counted.most))
        return values[chosen] if len(values) > 1 else values

    def agents(self, agents: Agents, index: Index) -> Floats:
        """Agents that a fan-out keeps busy, at an occurrence of it: (1, 1) or (1, samples)."""
        most = np.full((1, 1), float(agents.most))
        return most if agents.counted is None else np.minimum(self.count(agents.counted, index), most)

    def fails(self, outcome: Outcome, index: Index) -> Bools:
        """Where a step fails, (rows or 1, samples). `index`: of what is around it, and of some of its own loops."""
        if (outcome, index) not in self.known:
            self.known[outcome, index] = self._fails(outcome, index)
        return self.known[outcome, index]

    def _fails(self, outcome: Outcome, index: Index) -> Bools:
        level = len(index) - len(outcome.around)
        if level == len(outcome.own):
            return self._run_fails(outcome, index)
        loop = outcome.own[level]
        if loop.items:
            return self._some_item_fails(outcome, index)
        if loop.kind == "copies":
            copies = range(1 if outcome.first else loop.count)
            return self._all(self.fails(outcome, (*index, copy)) for copy in copies)
        if outcome.until is not None:
            last = (*index, loop.count - 1)
            return self.holds(outcome.until, last) & self.rejected(outcome.until, last)
        values: Bools = np.zeros((1, 1), bool)
        for number in range(loop.count):
            values = values | self.fails(outcome, (*index, number))
        return values

    def _some_item_fails(self, outcome: Outcome, index: Index) -> Bools:
        loop = outcome.own[len(index) - len(outcome.around)]
        if EVERY not in index:
            return _some(self.fails(outcome, (*index, EVERY)), loop)
        at = index.index(EVERY)
        found = []
        for item in range(outcome.around[at].count):
            one = (*index[:at], item, *index[at + 1 :])
            found.append(_some(self.fails(outcome, (*one, EVERY)), loop))
        return np.concatenate(np.broadcast_arrays(*found))

    def _run_fails(self, outcome: Outcome, index: Index) -> Bools:
        """Where a run of the body fails: its attempts are exhausted, it does not succeed, or something in it fails."""
        values: Bools = np.zeros((1, 1), bool)
        if outcome.attempt is not None:
            last = (*index, outcome.attempt.loops[-1].count - 1)
            values = values | (self.holds(outcome.attempt, last) & self.lost(outcome.attempt, last))
        if outcome.success < 1:
            loops = (*outcome.around, *outcome.own)
            u = self.samples.uniform(rows(loops), outcome.path, "success", drawn_index(index))
            values = values | (u >= outcome.success)
        for inner in outcome.inner:
            values = values | self.fails(inner, index)
        done = self.active(outcome.guard, index)
        return values if done is None else values & done

    def moves(self, hand: SeizeRelease, index: Index) -> Bools:
        """Where a hand has something to take or give, at an occurrence of its item."""
        key = hand.plan, index
        if key not in self.hands:
            self.hands[key] = dict(self._follow(hand.plan, index))
        return self.hands[key][hand]

    def _follow(self, plan: ItemPlan, index: Index) -> Iterator[tuple[SeizeRelease, Bools]]:
        """Go through the pieces of an item, keeping whose agent it holds."""
        items = innermost_items(plan.loops)
        count = 1 if items is None or index[items] != EVERY else plan.loops[items].count
        held = np.full((count, len(self.samples)), NO_POOL)
        done = np.zeros(held.shape, bool)  # the piece before is, and lets its agent go
        for position, piece in enumerate((*plan.pieces, None)):
            active, pool = np.ones_like(done), NO_POOL
            if piece is not None:
                found, pool = self.active(piece.guard, index + piece.inner), piece.pool
                active = active if found is None else np.broadcast_to(found, held.shape)
            after = np.where(done, NO_POOL, held)
            for hand in (hand for hand in plan.hands if hand.position == position):
                gives = (held == hand.pool) & (done | (active & (held != pool)))
                yield hand, active & (after != pool) if hand.takes else gives
            held = np.where(active, pool, after)
            done = active if piece is not None and (piece.apart or piece.frees) else np.zeros_like(done)


def _some(fails: Bools, loop: Loop) -> Bools:
    """Where an item fails, (1, samples): for one that several agents do, where all of them fail."""
    if loop.same is not None and len(fails) > 1:
        all_of = np.ones_like(fails)
        np.logical_and.at(all_of, list(loop.same), fails)
        fails = all_of[: min(len(fails), max(loop.same) + 1)]
    return np.asarray(fails.any(0, keepdims=True))
