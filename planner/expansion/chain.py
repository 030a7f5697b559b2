"""An item's steps one after another: which tasks they become, and when the item takes an agent or lets it go.

An item holds one agent at a time. A piece that needs another one, or none, lets it go first; the next that needs it
queues again. Where all of this is known, a task takes the agent when it starts and gives it back when it ends. Where it
depends on what is drawn, `Hand` tasks of no duration take and give, and are skipped where there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planner.expansion.conditions import Attempt, Guard, Round
from planner.expansion.fragments import NO_POOL, Fragment, in_order, single, stacked
from planner.expansion.loops import Index, Loops
from planner.expansion.outline import Within
from planner.expansion.work import Work


@dataclass(frozen=True, eq=False)
class Skip:
    """A task that is skipped where `guard` does not hold: one that takes or gives an agent, or a person who may leave.

    loops : around the item
    inner : its occurrence in the loops within it
    """

    guard: Guard
    loops: Loops
    inner: Index = ()


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch of an item.

    pool : whose agent it needs, or −1
    content : work, or a fragment of its own that needs none of the item's
    guard : when it is done
    rounds : the loops within the item around it
    inner : its occurrence in them
    apart : it is a task of its own, and lets its agent go, whoever comes next
    alone : it is a task of its own, and keeps its agent
    leaves : it is a person who may have left
    """

    pool: int
    content: Work | Fragment
    guard: Guard | None = None
    rounds: Loops = ()
    inner: Index = ()
    apart: bool = False
    alone: bool = False
    leaves: bool = False


@dataclass(frozen=True, eq=False)
class Plan:
    """The pieces of an item, or of a copy, in order, from which follows where hands are skipped.

    loops : around its pieces
    hands : in the order of their tasks
    """

    loops: Loops
    pieces: tuple[Piece, ...]
    hands: list[Hand] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Hand:
    """Takes an agent of `pool` before the piece at `position`, or gives it back; after the last piece, at the end."""

    plan: Plan
    position: int
    pool: int
    takes: bool


def chain(pieces: Sequence[Piece], loops: Loops, guard: Guard | None) -> Fragment:
    """The tasks of an item, or of a copy, in order. `guard`: when it is done at all."""
    return _Chain(Plan(loops, tuple(pieces)), guard).fragment()


class _Chain:
    def __init__(self, plan: Plan, guard: Guard | None) -> None:
        self.plan = plan
        self.guard = guard
        self.done: list[Fragment] = []
        self.kept: list[Work] = []  # works of the task that is being put together
        self.does: list[tuple[Work, Index]] = []  # the same with their occurrences within the item
        self.takes = NO_POOL  # what that task takes
        self.open = False
        self.alone = False  # what is put together goes into a task of its own
        self.leaving: Piece | None = None  # the person in it who may leave
        self.holding = {NO_POOL}  # whose agents the item may hold here

    def fragment(self) -> Fragment:
        for position, piece in enumerate(self.plan.pieces):
            self.piece(position, piece)
        self.give(len(self.plan.pieces), {NO_POOL}, certain=True)
        rounds: dict[object, tuple[int, ...]] = {}
        for piece in self.plan.pieces:
            inside = (
                [mark.what for mark in piece.content.marks] if isinstance(piece.content, Fragment) else [piece.content]
            )
            rounds |= dict.fromkeys(inside, tuple(loop.count for loop in piece.rounds))
        return stacked(in_order(self.done), rounds)

    def piece(self, position: int, piece: Piece) -> None:
        certain = always(piece.guard, piece.inner, self.guard, len(self.plan.loops))
        if self.holding != {piece.pool}:
            self.give(position, {NO_POOL, piece.pool}, certain)
            if piece.pool != NO_POOL:
                self.take(position, piece.pool, certain)
        if isinstance(piece.content, Fragment):
            self.close()
            outline = Within(len(piece.content), piece.inner, piece.content.outline)
            self.done.append(replace(piece.content, outline=outline))
        else:
            if (piece.apart or piece.pool == NO_POOL or piece.alone or self.alone) and self.kept:
                self.close()
            self.open, self.alone = True, piece.alone
            self.leaving = piece if piece.leaves else None
            self.kept.append(piece.content)
            self.does.append((piece.content, piece.inner))
            if piece.pool == NO_POOL or (piece.leaves and not certain):
                self.close()  # what may be skipped gives nothing back
        self.holding = {piece.pool} if certain else self.holding | {piece.pool}
        if piece.apart:
            self.give(position + 1, {NO_POOL}, certain=True)
            self.holding = {NO_POOL}

    def take(self, position: int, pool: int, certain: bool) -> None:
        """Take an agent, with the task that comes next where that is certain."""
        self.close()
        if certain and self.holding == {NO_POOL}:
            self.takes, self.open = pool, True
        elif NO_POOL in self.holding or self.holding - {pool}:
            self.hand(Hand(self.plan, position, pool, takes=True))

    def give(self, position: int, allowed: set[int], certain: bool) -> None:
        """Give back what is held and not allowed, with the task before where that is certain."""
        for pool in sorted(self.holding - allowed):
            if certain and self.holding == {pool} and self.open:
                self.close(release=pool)
                self.holding = {NO_POOL}
            else:
                self.close()
                self.hand(Hand(self.plan, position, pool, takes=False))
                if certain:
                    self.holding = self.holding - {pool} | {NO_POOL}

    def hand(self, hand: Hand) -> None:
        self.plan.hands.append(hand)
        pool = (hand.pool, NO_POOL) if hand.takes else (NO_POOL, hand.pool)
        self.done.append(single(*pool, hand))

    def close(self, release: int = NO_POOL) -> None:
        """Finish the task that is being put together."""
        if self.open:
            moves = self.takes != NO_POOL or release != NO_POOL
            skip = (Skip(self.guard, self.plan.loops),) if moves and self.guard else ()
            if self.leaving is not None and self.leaving.guard is not None:
                skip = (Skip(self.leaving.guard, self.plan.loops, self.leaving.inner),)
            person = any(work.kind == "human" for work in self.kept)
            self.done.append(single(self.takes, release, *self.kept, *skip, person=person, does=self.does))
        self.kept, self.does, self.takes, self.open, self.leaving = [], [], NO_POOL, False, None


def always(guard: Guard | None, inner: Index, base: Guard | None, depth: int) -> bool:
    """Whether `guard` holds wherever `base` does, at this occurrence of loops within it.

    First rounds are always run, and first attempts are always made.
    """
    while guard is not base:
        assert guard is not None
        if not isinstance(guard, Round | Attempt) or inner[len(guard.loops) - 1 - depth] != 0:
            return False
        guard = guard.parent
    return True
