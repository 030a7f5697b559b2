"""A task graph and samples in; the demands of all its works out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats, Ints
from planner.engine.draws import Samples
from planner.expansion.draw.condition_draws import ConditionDraws
from planner.expansion.draw.conversations import ConversationDraws
from planner.expansion.draw.demand import NONE, Demand, Layers, OccurrenceInputs, ServingTraits
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.draw.occurrence import Occurrence
from planner.expansion.draw.occurrence_demand import occurrence_demand
from planner.expansion.graph.conditions import (
    EVERY,
    Attempt,
    Index,
    Loops,
    always_holds,
    drawn_index,
    drawn_rows,
    innermost_items,
    occurrences,
    rows,
    shared_loops,
)
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.segments import AgentTask, SkipCondition, SkippedWith
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import (
    Briefing,
    Rework,
    Syncing,
    Work,
)
from planner.workflow.bodies import AgentLoop

DemandCache = dict[tuple[object, ...], Demand]
"""Demands by everything that they depend on: declarations, service and occurrence.

A context switch of a person is stored as a `Demand` too: its `wait` is the patience, its `seconds` are the time away.

The keys contain the `id`s of declarations, which the graphs keep alive.
"""

Traces = dict[tuple[Work, Index], Occurrence]
"""Recorded occurrences, by work and index."""

Lasts = Callable[[Work, Demand], Floats]
"""A function that returns the seconds of an attempt at a work, given the demand of the attempt."""

_NO_SERVICE = ServingTraits()


class DemandDraws:
    """Draws the demands of all work in a graph.

    services : for each model, the properties of its profile that change demands
    lasts : function that returns the duration of an attempt in seconds. Above its timeout, the attempt fails
    cache : demands drawn so far. All graphs of the same samples share the cache
    traces : receives every occurrence with its requests; None: nothing is recorded
    """

    def __init__(
        self,
        samples: Samples,
        layers: Layers,
        graph: TaskGraph,
        services: Mapping[str, ServingTraits],
        lasts: Lasts,
        cache: DemandCache,
        traces: Traces | None = None,
    ) -> None:
        self.samples = samples
        self.layers = layers
        self.graph = graph
        self.services = services
        self.lasts = lasts
        self.cache = cache
        self.traces = traces
        self.conditions = ConditionDraws(samples, self._timed_out)
        self.own_cache: DemandCache = {}
        self.sums: dict[tuple[Work, Index], Demand] = {}
        self.conversations = ConversationDraws(self)
        self.task_maps = {
            task_map.subject.step: task_map for task_map in graph.works if not task_map.subject.coordination
        }

    def demands(self, task_map: TaskMap[Work]) -> Iterator[tuple[Ints, Demand, Bools | None]]:
        """Yield the tasks, the demand and a mask for each occurrence of a work.

        There is one task for each item. The mask (items, samples) is true where the work is done; None: it is always
        done. Where the mask is false, the demand is 0.
        """
        work = task_map.subject
        for index in occurrences(work.loops):
            active = self.conditions.active(work.guard, index)
            demand = self.demand(work, index, active)
            if self.traces is not None and (work, index) in self.traces:
                done = np.ones(1, bool) if active is None else active[:, 0]
                self.traces[work, index].item = int(np.argmax(done)) if done.any() else None
            yield tasks_at(task_map.tasks, index), demand if active is None else demand.where(active), active

    def skipped(self, task_map: TaskMap[SkipCondition | AgentTask | SkippedWith]) -> Iterator[tuple[Ints, Bools]]:
        """Yield for each occurrence of a condition: its tasks and a mask.

        There is one task for each item. The mask (items, samples) is true where the tasks are skipped.
        """
        subject = task_map.subject.task if isinstance(task_map.subject, SkippedWith) else task_map.subject
        for index in occurrences(subject.loops if isinstance(subject, SkipCondition) else subject.plan.loops):
            if isinstance(subject, SkipCondition):
                done = self.conditions.holds(subject.guard, index + subject.inner)
            else:
                done = self.conditions.needed(subject, index)
            yield tasks_at(task_map.tasks, index), ~done

    def accepted(self) -> Bools:
        """Return a mask (samples,) of the samples that succeed: every failed step has a fallback."""
        accepted: Bools = np.ones(len(self.samples), bool)
        for outcome in self.graph.outcomes:
            accepted &= ~self.conditions.fails(outcome, ())[0]
        return accepted

    def context_switches(self, task_map: TaskMap[Work]) -> Iterator[tuple[Ints, Floats, Floats]]:
        """Yield for each occurrence of a person's step with `leaves`: its tasks, and two times in seconds.

        The first time is how long the person waits before turning to something else. The second time is how long the
        person then takes to come back.
        """
        work = task_map.subject
        leaves = getattr(work.body, "leaves", None)
        if leaves is None:
            return
        where = rows(work.loops), f"{work.step}/{work.kind}"
        for index in occurrences(work.loops):
            key = work.step, id(leaves), where[0], index
            if key not in self.cache:
                patience = draw_estimate(leaves.after, self.samples, *where, "after", drawn_index(index))
                away = draw_estimate(leaves.back, self.samples, *where, "back", drawn_index(index))
                self.cache[key] = Demand(wait=patience, seconds=away)
            times = self.cache[key]
            yield tasks_at(task_map.tasks, index), times.wait, times.seconds

    def demand(self, work: Work, index: Index, active: Bools | None = None) -> Demand:
        """Return the demand of one occurrence of a work: its requests, tokens and seconds.

        The demand is computed as if the work were done in every sample.

        index : number in each loop around the work
        active : mask (items, samples) that is true where the demand is needed; None: everywhere. To save time, an agent
            loop is not drawn where the mask is false, and its demand is 0 there. Other kinds of work ignore the mask
        """
        if isinstance(work.body, Rework):
            items = innermost_items(work.loops)
            assert items is not None
            return self._sum(work.body.work, index[: items + 1]).times(work.body.share)
        service = self.services[work.model] if work.model else _NO_SERVICE
        reads, where = self._message_read(work, index)
        counted = isinstance(work.body, Syncing) and work.body.agents.counted is not None
        depends_on_graph = work.conversation is not None or where is not None or counted
        counts = tuple(loop.count for loop in work.loops if loop.in_one_array)  # of ramp-ups: the number of agents
        only = active if isinstance(work.body, AgentLoop) else None
        where_only = None if only is None else blake2b(only.tobytes(), digest_size=16).digest()
        declared = work.step, id(work.body), id(work.retry), id(reads and reads.body)
        sizes = tuple(loop.sizes_key for loop in work.loops if loop.sizes_key)
        key = (*declared, service, work.ratio, counts, sizes, index, where_only)
        cache = self.own_cache if depends_on_graph else self.cache
        if key not in cache:
            inputs = self._inputs(work, index, reads, where, service)
            occurrence = Occurrence(self.samples, self.layers, work, service, index, inputs, self.traces is not None)
            if self.traces is not None:
                self.traces[work, index] = occurrence
            demand = occurrence_demand(occurrence, only)
            if work.retry is not None and index[-1] > 0:
                path = f"{work.step}/{work.kind}"
                wait = draw_estimate(work.retry.wait, self.samples, rows(work.loops), path, "wait", drawn_index(index))
                demand = replace(demand, wait=wait)
            cache[key] = demand
        return cache[key]

    def _message_read(self, work: Work, index: Index) -> tuple[Work | None, Bools | None]:
        """Return the message that a request reads, and a mask that is true where the request reads it.

        The message is the `Work` that writes a report or the brief of an item. Only the first request of an item reads
        its brief. The mask is None if the request reads the message in every sample. Both are None if there is no
        message to read.
        """
        if not isinstance(work.reads, Briefing):
            return work.reads, None
        items = innermost_items(work.loops)
        assert items is not None
        item, where = index[: items + 1], None
        end = len(work.loops) - (work.retry is not None)
        for other, inner in work.reads.requests:
            occurrence = (*item, *inner)
            rounds = (number for number in range(items + 1, end) if work.loops[number].kind == "rounds")
            if other is work and all(occurrence[number] == index[number] for number in rounds):
                return work.reads.brief, where  # later attempts and other copies read the brief again
            if always_holds(other.guard, inner, work.reads.guard, items + 1):
                break
            shared = range(items + 1, shared_loops(other.loops, work.loops))
            occurrence = tuple(
                index[position] if position in shared and other.loops[position].kind == "copies" else number
                for position, number in enumerate(occurrence)
            )
            unread = (
                ~self.conditions.holds(other.guard, occurrence) if other.guard is not None else np.zeros((1, 1), bool)
            )
            where = unread if where is None else where & unread
            active = self.conditions.active(work.guard, index)
            if not (where if active is None else where & active).any():
                break  # the loop usually ends here, after a few requests
        return None, None

    def _inputs(
        self, work: Work, index: Index, reads: Work | None, where: Bools | None, service: ServingTraits
    ) -> OccurrenceInputs:
        size = None if work.coordination else self._size(work.loops, index)
        read = NONE
        if reads is not None:
            read = _converted(self.demand(reads, index[: len(reads.loops)]).output, reads, work)
        read = read if where is None else read * where
        context = warm = NONE
        if work.conversation is not None:
            other = self.task_maps[work.conversation.work].subject
            context = _converted(self.conversations.context(work, work.conversation, index), other, work)
            if service.caches and other.model == work.model:
                seconds = self.conversations.seconds_between(work, work.conversation, index)
                warm = (seconds <= service.cache_ttl).astype(float)
        agents = NONE
        if isinstance(work.body, Syncing):
            agents = self.conditions.agents(work.body.agents, index[:-1])
        return OccurrenceInputs(size, read, context, warm, agents)

    def _size(self, loops: Loops, index: Index) -> Floats | None:
        """Return the relative size of the items at an occurrence, (items or 1, samples). None means 1.

        The sizes in nested fan-outs are multiplied.
        """
        size = None
        for position, loop in enumerate(loops):
            if loop.size is None and loop.sizes is None:
                continue
            around, chosen = drawn_rows(loops[: position + 1], index)
            if loop.sizes is not None:
                values = np.array(loop.sizes)[:, None]
            else:
                assert loop.size is not None
                key = drawn_index(around)
                values = draw_estimate(loop.size, self.samples, loop.count, loop.path, "size", key) / loop.size.mean
            if loop.same is not None and len(values) > 1:
                values = values[list(loop.same)]
            size = values[chosen if len(values) > 1 else slice(None)] * (1.0 if size is None else size)
        return size

    def _timed_out(self, attempt: Attempt, index: Index) -> Bools:
        work = self.task_maps[attempt.path].subject
        assert attempt.timeout is not None
        active = self.conditions.active(work.guard, index)  # an attempt that is not made cannot time out
        return np.asarray(self.lasts(work, self.demand(work, index, active)) > attempt.timeout)

    # Sums

    def demand_if_done(self, work: Work, index: Index) -> Demand:
        """Return the demand of one occurrence of a work, with 0 in samples in which the work is not done.

        The demand of an attempt is cut off at the timeout.
        """
        active = self.conditions.active(work.guard, index)
        demand = self.demand(work, index, active)
        timeout = work.retry.timeout if work.retry is not None else None
        if timeout is not None:
            share = timeout / np.maximum(self.lasts(work, demand), timeout)
            cut = {name: getattr(demand, name) * share for name in ("requests", "prefill", "decode", "seconds")}
            demand = replace(demand, **cut)
        return demand if active is None else demand.where(active)

    def _sum(self, work: Work, index: Index) -> Demand:
        """Return the sum of the demands of a work. If copies race, only the first copy counts.

        index : numbers in the outermost loops around the work, such as (2,) for all occurrences in round 2
        """
        if (work, index) not in self.sums:
            self.sums[work, index] = self._summed(work, index)
        return self.sums[work, index]

    def _summed(self, work: Work, index: Index) -> Demand:
        loops = work.loops[len(index) :]
        if EVERY in index and any(loop.items for loop in loops):
            position = index.index(EVERY)
            items = range(work.loops[position].count)
            return Demand.stacked(
                [self._summed(work, (*index[:position], item, *index[position + 1 :])) for item in items]
            )
        total = Demand()
        for inner in occurrences(loops):
            if not any(number for number, loop in zip(inner, loops, strict=True) if loop.race):
                total = total.plus(self.demand_if_done(work, (*index, *inner)))
        has_items = any(loop.items for loop in loops)
        return total.over_items(rows(work.loops)) if has_items else total


def _converted(tokens: Floats, writer: Work, reader: Work) -> Floats:
    """Convert tokens of the model that `writer` uses into tokens of the model that `reader` uses."""
    return tokens if writer.ratio == reader.ratio else np.floor(tokens * (reader.ratio / writer.ratio) + 0.5)


def tasks_at(tasks: Ints, index: Index) -> NDArray[np.int32]:
    """Return the tasks of an occurrence, (items,). Without a fan-out, there is a single task."""
    return np.atleast_1d(tasks[tuple(slice(None) if number == EVERY else number for number in index)])
