"""An item's steps one after another: which tasks they become, and when the item takes an agent or lets it go.

An item holds one agent at a time. A piece that needs another one, or none, lets it go first; the next that needs it
queues again. Wherever what was done before a piece holds the same agent in all cases, or none in all cases, its task
takes the agent when it starts and gives it back when it ends. Where it depends on what is drawn, `SeizeRelease` tasks
of no duration take and give, and are skipped where there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from planner.expansion.graph.conditions import (
    Guard,
    always,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    in_order,
    single_task,
    stacked,
)
from planner.expansion.graph.loops import Loops
from planner.expansion.graph.outline import InRound
from planner.expansion.graph.segments import ItemPlan, ItemSegment, SeizeRelease, SkipCondition
from planner.expansion.graph.work import Work


def item_tasks(pieces: Sequence[ItemSegment], loops: Loops, guard: Guard | None) -> Fragment:
    """The tasks of an item, or of a copy, in order. `guard`: when it is done at all."""
    before = [_before(at, pieces, guard, len(loops)) for at in range(len(pieces) + 1)]
    goes_on = {
        at for piece, found in zip(pieces, before, strict=False) for at in found if pieces[at].pool == piece.pool
    }
    freed = [replace(piece, frees=piece.pool != NO_POOL and at not in goes_on) for at, piece in enumerate(pieces)]
    return _Chain(ItemPlan(loops, tuple(freed)), guard, before).fragment()


def _before(at: int, pieces: Sequence[ItemSegment], guard: Guard | None, depth: int) -> list[int]:
    """Pieces that may be the last one done before that at `at`, wherever this is done; −1: none may be.

    There may be some among them that cannot be; none is missing.

    guard, depth : of the item, and how many loops are around it
    """
    found = []
    here = (pieces[at].guard, pieces[at].inner) if at < len(pieces) else (guard, ())
    for other in reversed(range(at)):
        own, following = pieces[other], pieces[other + 1] if other + 1 < at else None
        done = own.guard, own.inner
        if following is None or not always(following.guard, following.inner, guard, depth, *done):
            found.append(other)
        if always(*done, guard, depth, *here):
            return found
    return [*found, -1]


class _Chain:
    """before : of each piece, and of the end, which may be the last one done."""

    def __init__(self, plan: ItemPlan, guard: Guard | None, before: Sequence[Sequence[int]]) -> None:
        self.plan = plan
        self.guard = guard
        self.before = before
        self.done: list[Fragment] = []
        self.kept: list[ItemSegment] = []  # pieces of the task that is being put together
        self.takes = NO_POOL  # what that task takes

    def fragment(self) -> Fragment:
        for position, piece in enumerate(self.plan.pieces):
            self.piece(position, piece)
        self.close()
        self.give(len(self.plan.pieces), self.held_before(len(self.plan.pieces)))
        rounds: dict[object, tuple[int, ...]] = {}
        for piece in self.plan.pieces:
            inside = (
                [mark.subject for mark in piece.content.task_maps]
                if isinstance(piece.content, Fragment)
                else [piece.content]
            )
            rounds |= dict.fromkeys(inside, tuple(loop.count for loop in piece.rounds))
        return stacked(in_order(self.done), rounds)

    def held_before(self, position: int) -> set[int]:
        """The pools whose agents the item may hold there."""
        pieces = self.plan.pieces
        return {NO_POOL if at < 0 else pieces[at].leaves_held for at in self.before[position]}

    def piece(self, position: int, piece: ItemSegment) -> None:
        held, whole = self.held_before(position), isinstance(piece.content, Fragment)
        if held != {piece.pool}:
            self.close()
            self.give(position, held - {piece.pool})
            if piece.pool != NO_POOL and held == {NO_POOL} and not whole:
                self.takes = piece.pool
            elif piece.pool != NO_POOL:
                self.hand(SeizeRelease(self.plan, position, piece.pool, takes=True))
        if isinstance(piece.content, Fragment):
            self.close()
            outline = InRound(len(piece.content), piece.inner, piece.content.outline)
            self.done.append(replace(piece.content, outline=outline))
            self.give(position + 1, {piece.pool} if piece.frees else set())
            return
        if self.kept and not self.joins(piece):
            self.close()
        self.kept.append(piece)
        if piece.frees or piece.apart:
            self.free(position, piece)

    def joins(self, piece: ItemSegment) -> bool:
        """Whether a piece can be part of the task that is being put together, and be done only where that is."""
        first, last = self.kept[0], self.kept[-1]
        if piece.pool == NO_POOL or piece.apart or piece.alone or last.alone:
            return False
        done = piece.guard, piece.inner
        return not self.conditional(first) or always(first.guard, first.inner, self.guard, self.depth, *done)

    def free(self, position: int, piece: ItemSegment) -> None:
        """Let a piece's agent go at its end, with its task where that is done as often and no hand does it anyway."""
        first, others = self.kept[0], self.held_before(position + 1)
        own, begun = (piece.guard, piece.inner), (first.guard, first.inner)
        as_often = all(always(*one, self.guard, self.depth, *other) for one, other in ((own, begun), (begun, own)))
        if as_often and piece.pool not in others:
            self.close(release=piece.pool)
        else:
            self.close()
            self.give(position + 1, {piece.pool})

    def give(self, position: int, held: set[int]) -> None:
        """Give back what may be held before a piece, where it is: once, whatever the reasons."""
        here = takewhile(lambda hand: hand.position == position, reversed(self.plan.hands))
        for pool in sorted(held - {NO_POOL} - {hand.pool for hand in here}):
            self.hand(SeizeRelease(self.plan, position, pool, takes=False))

    def hand(self, hand: SeizeRelease) -> None:
        self.plan.hands.append(hand)
        pool = (hand.pool, NO_POOL) if hand.takes else (NO_POOL, hand.pool)
        self.done.append(single_task(*pool, hand))

    @property
    def depth(self) -> int:
        return len(self.plan.loops)

    def conditional(self, first: ItemSegment) -> bool:
        """Whether a task that begins with this piece is skipped where it is not done."""
        return self.takes != NO_POOL or first.leaves

    def close(self, release: int = NO_POOL) -> None:
        """Finish the task that is being put together. One that takes or gives must be skipped where it is not done."""
        if self.kept:
            first = self.kept[0]
            guard, inner = first.guard, first.inner
            if always(guard, inner, self.guard, self.depth):
                guard, inner = self.guard, ()
            moves = self.conditional(first) or release != NO_POOL
            skip = [SkipCondition(guard, self.plan.loops, inner)] if moves and guard is not None else []
            person = any(piece.content.kind == "human" for piece in self.kept if isinstance(piece.content, Work))
            does = [(piece.content, piece.inner) for piece in self.kept]
            contents = [content for content, _ in does]
            self.done.append(single_task(self.takes, release, *contents, *skip, person=person, does=does))
        self.kept, self.takes = [], NO_POOL
