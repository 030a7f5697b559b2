"""Items of a crew that several agents do, and the rounds in which a crew in lockstep does all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor


@dataclass(frozen=True)
class Shared:
    """Items with those that are done again.

    same : of every item, the one that it is; those that are done again come behind all others
    rounds : the items of each round, in order
    """

    same: tuple[int, ...]
    rounds: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.same)


def shared(order: Sequence[int], agents: int, redundancy: float) -> Shared:
    """Items divided among agents but for the share `redundancy` of them, which every agent does.

    order : of the items, in which rounds take them

    Rounds of an item for each agent come in turn with rounds of one item that all do, `redundancy` times the items
    rounded half up. Where nothing is redundant these are rounds of as many items as there are agents.
    """
    items = len(order)
    done_by_all = floor(redundancy * items + 0.5)
    divided = items - done_by_all
    each = done_by_all / divided if divided else 0.0
    same, rounds, at, owed = list(range(items)), [], 0, 0.5
    while at < items:
        if divided:
            rounds.append(tuple(order[at : at + min(agents, divided)]))
            at += len(rounds[-1])
            divided -= len(rounds[-1])
            owed += len(rounds[-1]) * each
        while at < items and (owed >= 1 or not divided):
            again = range(len(same), len(same) + agents - 1)
            rounds.append((order[at], *again))
            same += [order[at]] * (agents - 1)
            at, owed = at + 1, owed - 1
    return Shared(tuple(same), tuple(rounds))
