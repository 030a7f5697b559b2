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
    occurrences,
    shared_loops,
)
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.work import Conversation, Work


class WorkDemands(Protocol):
    """Source of demands for `ConversationDraws`. `DemandDraws` implements this protocol.

    task_maps : full name of a step → the work of the step, with its tasks
    """

    @property
    def task_maps(self) -> Mapping[str, TaskMap[Work]]: ...

    @property
    def conditions(self) -> ConditionDraws: ...

    def demand(self, work: Work, index: Index) -> Demand:
        """Return the demand of one occurrence of a work, as if it were done in every sample.

        A demand is the tokens, requests and seconds of work. `index` is the number in each loop around the work.
        """

    def demand_if_done(self, work: Work, index: Index) -> Demand:
        """Return the demand of one occurrence of a work, with 0 in samples in which the work is not done.

        A demand is the tokens, requests and seconds of work. `index` is the number in each loop around the work.
        """


class ConversationDraws:
    """Computes the contexts of conversations, in tokens. Each result is computed once and then kept."""

    def __init__(self, demands: WorkDemands) -> None:
        self.demands = demands
        self.contexts: dict[tuple[Work, Index], Floats] = {}

    def context(self, work: Work, conversation: Conversation, index: Index) -> Floats:
        """Return the number of tokens in the context that a request continues.

        work : work that makes the request
        index : occurrence of the request
        """
        if conversation.itself:
            previous = self._previous_round(work, index)
            return NONE if previous is None else self._context_after(work, previous)
        other = self.demands.task_maps[conversation.work].subject
        return self._context_after(other, index[: shared_loops(other.loops, work.loops)])

    def _context_after(self, work: Work, index: Index) -> Floats:
        """Return the number of tokens in the context that a work leaves behind, by sample.

        index : number in each of the outermost loops around the work. With (2,), the result is for the end of round 2
            of the outermost loop, after all inner rounds
        """
        if (work, index) not in self.contexts:
            self.contexts[work, index] = self._last_context(work, index)
        return self.contexts[work, index]

    def _last_context(self, work: Work, index: Index) -> Floats:
        """Return the number of tokens in the context that a work leaves behind, by sample.

        The last occurrence that is done in a sample counts. For example, this is round 1 if round 2 is skipped. If the
        work is not done at all, the result is the context before the work.

        index : number in each of the outermost loops around the work. All occurrences inside are considered
        """
        loops = work.loops[len(index) :]
        first = next(occurrences(loops))
        value = NONE if work.conversation is None else self.context(work, work.conversation, (*index, *first))
        for inner in occurrences(loops):
            if any(number > 0 for number, loop in zip(inner, loops, strict=True) if loop.kind == "copies"):
                continue  # of its own copies the first counts; copies of an enclosing step have their own contexts
            occurrence = (*index, *inner)
            active = self.demands.conditions.active(work.guard, occurrence)
            demand = self.demands.demand(work, occurrence)
            value = demand.context if active is None else np.where(active, demand.context, value)
        return value[:1] if any(loop.together for loop in loops) else value

    def _previous_round(self, work: Work, index: Index) -> Index | None:
        """Return the occurrence of a work in the previous round, or None in the first round.

        Only rounds of the innermost `repeat` around the work count.
        """
        end = len(work.loops) - (work.retry is not None)
        position = next(position for position in reversed(range(end)) if work.loops[position].kind == "rounds")
        return (*index[:position], index[position] - 1) if index[position] else None

    def seconds_between(self, work: Work, conversation: Conversation, index: Index) -> Floats:
        """Return the seconds that tools and people take between two consecutive requests of a conversation.

        If the steps run one after another, as in a held item, their seconds are added. Otherwise the longest path of
        steps counts.

        work : work that makes the later request
        index : number of the later request in each loop around it
        """
        longest: dict[str, Floats] = {}
        for path, needed in conversation.between:
            own: Floats = NONE
            for task_map in self.demands.task_maps.values():
                if not _within(task_map.subject.step, path):
                    continue
                occurrence = self._occurrence_before(work, conversation, task_map, index)
                if occurrence is not None:
                    own = own + self._seconds(task_map.subject, occurrence)
            before = list(longest.values())[-1:] if conversation.in_turn else [longest[name] for name in needed]
            longest[path] = own + reduce(np.maximum, before, NONE)
        return reduce(np.maximum, longest.values(), NONE)

    def _occurrence_before(
        self, work: Work, conversation: Conversation, task_map: TaskMap[Work], index: Index
    ) -> Index | None:
        """Return when a tool's or a person's work was last done before a request.

        The result has a number for each loop around both the request and the other work. For example, (2,) means
        round 2 of a shared loop. The result is None if the other work was not done before the request, or is not the
        work of a tool or a person.

        work : work that makes the request
        task_map : the other work, with its tasks
        index : number of the request in each loop around it
        """
        other = task_map.subject
        if other.model is not None:
            return None
        shared = shared_loops(other.loops, work.loops)
        own_map = self.demands.task_maps[work.step]
        follows = int(task_map.tasks.flat[0]) > int(own_map.tasks.flat[0])
        if conversation.itself and (follows or any(_within(other.step, path) for path in conversation.unneeded)):
            previous = self._previous_round(work, index)  # the request does not wait for it in this round
            return None if previous is None else previous[:shared]
        return index[:shared]

    def _seconds(self, work: Work, index: Index) -> Floats:
        """Return the seconds that a tool or a person takes for a work.

        The seconds of consecutive occurrences are added. If occurrences run side by side, the longest counts.

        index : numbers in the outermost loops around the work, such as (2,) for all occurrences in round 2
        """
        if len(index) == len(work.loops):
            done = self.demands.demand_if_done(work, index)
            return done.seconds + done.wait
        loop = work.loops[len(index)]
        if loop.items and EVERY in index:
            position = index.index(EVERY)
            items = range(work.loops[position].count)
            by_item = [self._seconds(work, (*index[:position], item, *index[position + 1 :])) for item in items]
            return np.concatenate(np.broadcast_arrays(*by_item))
        if loop.items:
            return np.asarray(self._seconds(work, (*index, EVERY)).max(0, keepdims=True))
        if loop.together:
            copies = self._seconds(work, (*index, EVERY))
            return copies[:1] if loop.race else np.asarray(copies.max(0, keepdims=True))
        numbers = range(1 if loop.race else loop.count)
        each = [self._seconds(work, (*index, number)) for number in numbers]
        return reduce(np.maximum if loop.kind == "copies" else np.add, each)


def _within(step: str, path: str) -> bool:
    return step == path or step.startswith(f"{path}.")
