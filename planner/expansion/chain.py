"""An item's steps one after another: which tasks they become, and when the item takes an agent or lets it go.

An item holds one agent at a time. A piece that needs another one, or none, lets it go first; the next that needs it
queues again. Wherever what was done before a piece holds the same agent in all cases, or none in all cases, its task
takes the agent when it starts and gives it back when it ends. Where it depends on what is drawn, `Hand` tasks of no
duration take and give, and are skipped where there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from planner.expansion.conditions import Attempt, Conflicting, Guard, Round
from planner.expansion.fragments import NO_POOL, Fragment, in_order, single, stacked
from planner.expansion.loops import Index, Loops
from planner.expansion.outline import Within
from planner.expansion.work import Work


@dataclass(frozen=True, eq=False)
class Skip:
    """A task that is skipped where `guard` does not hold: it takes or gives an agent, or is of somebody who may leave.

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
    alone : it is a task of its own
    leaves : it is a person who may have left
    frees : it lets its agent go at its end, because nobody who may come next goes on with it
    """

    pool: int
    content: Work | Fragment
    guard: Guard | None = None
    rounds: Loops = ()
    inner: Index = ()
    apart: bool = False
    alone: bool = False
    leaves: bool = False
    frees: bool = False

    @property
    def leaves_held(self) -> int:
        """The pool whose agent is held after it."""
        return NO_POOL if self.apart or self.frees else self.pool


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
    before = [_before(at, pieces, guard, len(loops)) for at in range(len(pieces) + 1)]
    goes_on = {
        at for piece, found in zip(pieces, before, strict=False) for at in found if pieces[at].pool == piece.pool
    }
    freed = [replace(piece, frees=piece.pool != NO_POOL and at not in goes_on) for at, piece in enumerate(pieces)]
    return _Chain(Plan(loops, tuple(freed)), guard, before).fragment()


def _before(at: int, pieces: Sequence[Piece], guard: Guard | None, depth: int) -> list[int]:
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

    def __init__(self, plan: Plan, guard: Guard | None, before: Sequence[Sequence[int]]) -> None:
        self.plan = plan
        self.guard = guard
        self.before = before
        self.done: list[Fragment] = []
        self.kept: list[Piece] = []  # pieces of the task that is being put together
        self.takes = NO_POOL  # what that task takes

    def fragment(self) -> Fragment:
        for position, piece in enumerate(self.plan.pieces):
            self.piece(position, piece)
        self.close()
        self.give(len(self.plan.pieces), self.held_before(len(self.plan.pieces)))
        rounds: dict[object, tuple[int, ...]] = {}
        for piece in self.plan.pieces:
            inside = (
                [mark.what for mark in piece.content.marks] if isinstance(piece.content, Fragment) else [piece.content]
            )
            rounds |= dict.fromkeys(inside, tuple(loop.count for loop in piece.rounds))
        return stacked(in_order(self.done), rounds)

    def held_before(self, position: int) -> set[int]:
        """The pools whose agents the item may hold there."""
        pieces = self.plan.pieces
        return {NO_POOL if at < 0 else pieces[at].leaves_held for at in self.before[position]}

    def piece(self, position: int, piece: Piece) -> None:
        held, whole = self.held_before(position), isinstance(piece.content, Fragment)
        if held != {piece.pool}:
            self.close()
            self.give(position, held - {piece.pool})
            if piece.pool != NO_POOL and held == {NO_POOL} and not whole:
                self.takes = piece.pool
            elif piece.pool != NO_POOL:
                self.hand(Hand(self.plan, position, piece.pool, takes=True))
        if isinstance(piece.content, Fragment):
            self.close()
            outline = Within(len(piece.content), piece.inner, piece.content.outline)
            self.done.append(replace(piece.content, outline=outline))
            self.give(position + 1, {piece.pool} if piece.frees else set())
            return
        if self.kept and not self.joins(piece):
            self.close()
        self.kept.append(piece)
        if piece.frees or piece.apart:
            self.free(position, piece)

    def joins(self, piece: Piece) -> bool:
        """Whether a piece can be part of the task that is being put together, and be done only where that is."""
        first, last = self.kept[0], self.kept[-1]
        if piece.pool == NO_POOL or piece.apart or piece.alone or last.alone:
            return False
        done = piece.guard, piece.inner
        return not self.conditional(first) or always(first.guard, first.inner, self.guard, self.depth, *done)

    def free(self, position: int, piece: Piece) -> None:
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
            self.hand(Hand(self.plan, position, pool, takes=False))

    def hand(self, hand: Hand) -> None:
        self.plan.hands.append(hand)
        pool = (hand.pool, NO_POOL) if hand.takes else (NO_POOL, hand.pool)
        self.done.append(single(*pool, hand))

    @property
    def depth(self) -> int:
        return len(self.plan.loops)

    def conditional(self, first: Piece) -> bool:
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
            skip = [Skip(guard, self.plan.loops, inner)] if moves and guard is not None else []
            person = any(piece.content.kind == "human" for piece in self.kept if isinstance(piece.content, Work))
            does = [(piece.content, piece.inner) for piece in self.kept]
            contents = [content for content, _ in does]
            self.done.append(single(self.takes, release, *contents, *skip, person=person, does=does))
        self.kept, self.takes = [], NO_POOL


def always(
    guard: Guard | None, inner: Index, base: Guard | None, depth: int, where: Guard | None = None, at: Index = ()
) -> bool:
    """Whether `guard` holds wherever the guard `where` does, or else wherever `base` does.

    First rounds are always run, and first attempts always made; of rounds, attempts and conflicts one is only there
    where all before it are.

    base : of the item, around both
    inner, at : occurrences of what `guard` and `where` guard in the loops within the item, of which `depth` are around
    """
    known: dict[Guard, Index] = {}
    while where is not None and where is not base:
        known[where] = at[: len(where.loops) - depth]
        where = where.parent
    while guard is not base:
        assert guard is not None
        own = inner[: len(guard.loops) - depth]
        if guard in known:
            there = known[guard]
            follows = isinstance(guard, Round | Attempt | Conflicting) and own[:-1] == there[:-1] and own <= there
            if own == there or follows:
                return True
        if not isinstance(guard, Round | Attempt) or own[-1] != 0:
            return False
        guard = guard.parent
    return True
