"""Conversations: the context that a request continues, and the time since this context was cached.

The rules are those of docs/model.md, "Conversations".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Protocol

import numpy as np

from planner.engine.arrays import Floats
from planner.expansion.draw.condition_draws import ConditionDraws
from planner.expansion.draw.demand import NONE, Demand
from planner.expansion.graph.conditions import (
    EVERY,
    Index,
    innermost_items,
    occurrences,
    shared_loops,
)
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.work import Conversation, Work


class WorkDemands(Protocol):
    """Source of the demands that conversations depend on. `DemandDraws` is one.

    task_maps : full name of a step → its work, with the tasks of the work
    """

    @property
    def task_maps(self) -> Mapping[str, TaskMap[Work]]: ...

    @property
    def conditions(self) -> ConditionDraws: ...

    def demand(self, work: Work, index: Index) -> Demand:
        """Return the demand of a work at an occurrence, as if the work were done there."""

    def done(self, work: Work, index: Index) -> Demand:
        """Return the demand of a work at an occurrence; 0 where the work is not done."""


class ConversationDraws:
    """Contexts of conversations after each work, in tokens. Each context is computed once and then kept."""

    def __init__(self, demands: WorkDemands) -> None:
        self.demands = demands
        self.contexts: dict[tuple[Work, Index], Floats] = {}

    def context(self, work: Work, conversation: Conversation, index: Index) -> Floats:
        """Tokens of the context that the request of `work` continues, at an occurrence of the request."""
        if conversation.itself:
            previous = self._previous_round(work, index)
            return NONE if previous is None else self._context_after(work, previous)
        other = self.demands.task_maps[conversation.work].subject
        return self._context_after(other, index[: shared_loops(other.loops, work.loops)])

    def _context_after(self, work: Work, index: Index) -> Floats:
        """Tokens of the context after a work.

        index : occurrence in the outer loops of the work. The inner loops have run to their end
        """
        if (work, index) not in self.contexts:
            self.contexts[work, index] = self._last_context(work, index)
        return self.contexts[work, index]

    def _last_context(self, work: Work, index: Index) -> Floats:
        """Tokens of the context after the last occurrence that is done.

        Where no occurrence is done, this is the context that the work itself continues.
        """
        loops = work.loops[len(index) :]
        first = next(occurrences(loops))
        value = NONE if work.conversation is None else self.context(work, work.conversation, (*index, *first))
        for inner in occurrences(loops):
            if any(number for number, loop in zip(inner, loops, strict=True) if loop.kind == "copies"):
                continue  # of the step's copies the first counts; copies of an enclosing step have their own contexts
            occurrence = (*index, *inner)
            active = self.demands.conditions.active(work.guard, occurrence)
            demand = self.demands.demand(work, occurrence)
            value = demand.context if active is None else np.where(active, demand.context, value)
        return value

    def _previous_round(self, work: Work, index: Index) -> Index | None:
        """Occurrence of the previous round of the innermost `repeat` around a work; None in the first round."""
        end = len(work.loops) - (work.retry is not None)
        position = next(position for position in reversed(range(end)) if work.loops[position].kind == "rounds")
        return (*index[:position], index[position] - 1) if index[position] else None

    def seconds_between(self, work: Work, conversation: Conversation, index: Index) -> Floats:
        """Seconds that tools and people take between a request and the earlier request that it continues.

        Steps inside an item run one after another, so their seconds are added. Other steps begin once the steps that
        they need have ended, so the longest path counts.
        """
        longest: dict[str, Floats] = {}
        in_item = innermost_items(work.loops) is not None
        for path, needed in conversation.between:
            own: Floats = NONE
            for task_map in self.demands.task_maps.values():
                if not _within(task_map.subject.step, path):
                    continue
                occurrence = self._occurrence_between(work, conversation, task_map, index)
                if occurrence is not None:
                    own = own + self._seconds(task_map.subject, occurrence)
            before = list(longest.values())[-1:] if in_item else [longest[name] for name in needed]
            longest[path] = own + reduce(np.maximum, before, NONE)
        return reduce(np.maximum, longest.values(), NONE)

    def _occurrence_between(
        self, work: Work, conversation: Conversation, task_map: TaskMap[Work], index: Index
    ) -> Index | None:
        """Return the last occurrence of a tool or a person before a request, in the loops around both works.

        None: there is no such occurrence, or `task_map` belongs to work with requests.
        """
        other = task_map.subject
        if other.model is not None:
            return None
        shared = shared_loops(other.loops, work.loops)
        own_map = self.demands.task_maps[work.step]
        if conversation.itself and int(task_map.tasks.flat[0]) > int(own_map.tasks.flat[0]):
            previous = self._previous_round(work, index)  # it follows the request, so it last ran in the previous round
            return None if previous is None else previous[:shared]
        return index[:shared]

    def _seconds(self, work: Work, index: Index) -> Floats:
        """Seconds that a tool or a person takes in all occurrences inside `index`.

        Of occurrences side by side, the longest counts. Occurrences in sequence are added.
        """
        if len(index) == len(work.loops):
            done = self.demands.done(work, index)
            return done.seconds + done.wait
        loop = work.loops[len(index)]
        if loop.items and EVERY in index:
            position = index.index(EVERY)
            items = range(work.loops[position].count)
            by_item = [self._seconds(work, (*index[:position], item, *index[position + 1 :])) for item in items]
            return np.concatenate(np.broadcast_arrays(*by_item))
        if loop.items:
            return np.asarray(self._seconds(work, (*index, EVERY)).max(0, keepdims=True))
        numbers = range(1 if loop.race else loop.count)
        each = [self._seconds(work, (*index, number)) for number in numbers]
        return reduce(np.maximum if loop.kind == "copies" else np.add, each)


def _within(step: str, path: str) -> bool:
    return step == path or step.startswith(f"{path}.")
