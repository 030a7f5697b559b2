"""Threads: what a request continues, and what has passed since (docs/model.md, "Threads")."""

from __future__ import annotations

from functools import reduce
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from planner.engine.arrays import Floats
from planner.expansion.draw.demand import NONE
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.loops import (
    EVERY,
    Index,
    Loops,
    innermost_items,
    occurrences,
)
from planner.expansion.graph.work import Conversation, Work

if TYPE_CHECKING:
    from planner.expansion.draw.demand_draws import DemandDraws


class Conversations:
    """The contexts that works leave behind, each once."""

    def __init__(self, drawing: DemandDraws) -> None:
        self.drawing = drawing
        self.contexts: dict[tuple[Work, Index], Floats] = {}

    def continued(self, work: Work, conversation: Conversation, index: Index) -> Floats:
        """The context that a request continues at an occurrence of it."""
        if conversation.itself:
            before = self._round_before(work, index)
            return NONE if before is None else self._context(work, before)
        other = self.drawing.marks[conversation.work].subject
        return self._context(other, index[: shared_loops(other.loops, work.loops)])

    def _context(self, work: Work, index: Index) -> Floats:
        """The context that a work leaves behind, after all its occurrences within those of `index`."""
        if (work, index) not in self.contexts:
            self.contexts[work, index] = self._left_behind(work, index)
        return self.contexts[work, index]

    def _left_behind(self, work: Work, index: Index) -> Floats:
        first = next(occurrences(work.loops[len(index) :]))
        value = NONE if work.conversation is None else self.continued(work, work.conversation, (*index, *first))
        for inner in occurrences(work.loops[len(index) :]):
            at = (*index, *inner)
            own = zip(inner, work.loops[len(index) :], strict=True)
            if any(number for number, loop in own if loop.kind == "copies"):
                continue  # of copies of its own the first; copies of what is around it have contexts of their own
            active = self.drawing.conditions.active(work.guard, at)
            demand = self.drawing.demand(work, at)
            value = demand.context if active is None else np.where(active, demand.context, value)
        return value

    def _round_before(self, work: Work, index: Index) -> Index | None:
        """The round before, of the innermost repeat around a work."""
        end = len(work.loops) - (work.retry is not None)
        at = next(at for at in reversed(range(end)) if work.loops[at].kind == "rounds")
        return (*index[:at], index[at] - 1) if index[at] else None

    def between(self, work: Work, conversation: Conversation, index: Index) -> Floats:
        """Seconds of the tools and people that lie between a request and what it continues."""
        longest: dict[str, Floats] = {}
        for path, needed in conversation.between:
            own: Floats = NONE
            for mark in self.drawing.marks.values():
                at = self._place_between(work, conversation, mark, index) if _within(mark.subject.step, path) else None
                if at is not None:
                    own = own + self._lasting(mark.subject, at)
            before = [longest[name] for name in (longest if innermost_items(work.loops) is not None else needed)]
            latest = before[-1:] if innermost_items(work.loops) is not None else before
            longest[path] = own + reduce(np.maximum, latest, NONE)
        return reduce(np.maximum, longest.values(), NONE)

    def _place_between(self, work: Work, conversation: Conversation, mark: TaskMap[Work], index: Index) -> Index | None:
        """The occurrence of what a tool or a person, and a request after it, have around both; None: there is none."""
        other = mark.subject
        if other.model is not None:
            return None
        shared = shared_loops(other.loops, work.loops)
        if conversation.itself and int(mark.tasks.flat[0]) > int(self.drawing.marks[work.step].tasks.flat[0]):
            before = self._round_before(work, index)  # it stands behind the request, in the round before
            return None if before is None else before[:shared]
        return index[:shared]

    def _lasting(self, work: Work, index: Index) -> Floats:
        """Seconds of all occurrences of a tool or person: side by side the longest, one after the other their sum."""
        if len(index) == len(work.loops):
            done = self.drawing.done(work, index)
            return done.seconds + done.wait
        loop = work.loops[len(index)]
        if loop.items and EVERY in index:
            at = index.index(EVERY)
            rows_ = [(*index[:at], item, *index[at + 1 :]) for item in range(work.loops[at].count)]
            return np.concatenate(np.broadcast_arrays(*(self._lasting(work, row) for row in rows_)))
        if loop.items:
            return np.asarray(self._lasting(work, (*index, EVERY)).max(0, keepdims=True))
        numbers = range(1 if loop.first else loop.count)
        each = [self._lasting(work, (*index, number)) for number in numbers]
        return reduce(np.maximum if loop.kind == "copies" else np.add, each)


def shared_loops(loops: Loops, others: Loops) -> int:
    """How many loops are around both of two works."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(loops, others, strict=False)))


def _within(step: str, path: str) -> bool:
    return step == path or step.startswith(f"{path}.")
