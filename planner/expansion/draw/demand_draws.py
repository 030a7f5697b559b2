"""The demands of all works of a task graph, drawn for a slice of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats, Ints
from planner.engine.draws import Samples
from planner.expansion.draw.condition_draws import ConditionDraws
from planner.expansion.draw.conversations import Conversations, shared_loops
from planner.expansion.draw.demand import NONE, Demand, Layers, OccurrenceInputs, ServingTraits
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.draw.occurrence import Occurrence
from planner.expansion.graph.conditions import Attempt, always
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.loops import (
    EVERY,
    Index,
    Loops,
    drawn_index,
    innermost_items,
    occurrences,
    own_row,
    rows,
)
from planner.expansion.graph.segments import SeizeRelease, SkipCondition
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import (
    Briefing,
    Rework,
    Syncing,
    Work,
)
from planner.workflow.bodies import AgentLoop

DemandCache = dict[tuple[object, ...], Demand]
"""Demands by what they depend on: declarations (which live as long as the graphs), services, and the occurrence."""

Traces = dict[tuple[Work, Index], Occurrence]

Lasts = Callable[[Work, Demand], Floats]
_IDLE = ServingTraits()


class DemandDraws:
    """Draws for one graph.

    services : of each model
    lasts : seconds of an attempt, where attempts have timeouts
    known : shared by the graphs of a slice, so that each demand is drawn once
    traces : if given, each occurrence is kept there with what it asks for, one by one
    """

    def __init__(
        self,
        samples: Samples,
        layers: Layers,
        graph: TaskGraph,
        services: Mapping[str, ServingTraits],
        lasts: Lasts,
        known: DemandCache,
        traces: Traces | None = None,
    ) -> None:
        self.samples = samples
        self.layers = layers
        self.graph = graph
        self.services = services
        self.lasts = lasts
        self.known = known
        self.traces = traces
        self.conditions = ConditionDraws(samples, self._timed_out)
        self.apart: DemandCache = {}
        self.sums: dict[tuple[Work, Index], Demand] = {}
        self.threads = Conversations(self)
        self.marks = {mark.subject.step: mark for mark in graph.works if not mark.subject.coordination}

    def demands(self, mark: TaskMap[Work]) -> Iterator[tuple[Ints, Demand, Bools | None]]:
        """For each occurrence of a work: its tasks, one for each item, its demand, and where it is done."""
        for index in occurrences(mark.subject.loops):
            active = self.conditions.active(mark.subject.guard, index)
            demand = self.demand(mark.subject, index, active)
            if self.traces is not None and (mark.subject, index) in self.traces:
                done = np.ones(1, bool) if active is None else active[:, 0]
                self.traces[mark.subject, index].item = int(np.argmax(done)) if done.any() else None
            yield tasks_at(mark.tasks, index), demand if active is None else demand.where(active), active

    def skipped(self, mark: TaskMap[SkipCondition | SeizeRelease]) -> Iterator[tuple[Ints, Bools]]:
        """For each occurrence of a task that a condition leaves out: its tasks, and where they are left out."""
        what = mark.subject
        for index in occurrences(what.loops if isinstance(what, SkipCondition) else what.plan.loops):
            holds = (
                self.conditions.active(what.guard, index + what.inner)
                if isinstance(what, SkipCondition)
                else self.conditions.moves(what, index)
            )
            assert holds is not None
            yield tasks_at(mark.tasks, index), ~holds

    def accepted(self) -> Bools:
        """(samples,) where no failure is left over."""
        found: Bools = np.ones(len(self.samples), bool)
        for outcome in self.graph.outcomes:
            found &= ~self.conditions.fails(outcome, ())[0]
        return found

    def context_switches(self, mark: TaskMap[Work]) -> Iterator[tuple[Ints, Floats, Floats]]:
        """For each occurrence of a step of people who may leave: its tasks, their patience, and their time away."""
        work = mark.subject
        leaves = getattr(work.body, "leaves", None)
        if leaves is None:
            return
        for index in occurrences(work.loops):
            key = rows(work.loops), f"{work.step}/{work.kind}"
            patience = draw_estimate(leaves.after, self.samples, *key, "after", drawn_index(index))
            away = draw_estimate(leaves.back, self.samples, *key, "back", drawn_index(index))
            yield tasks_at(mark.tasks, index), patience, away

    def demand(self, work: Work, index: Index, active: Bools | None = None) -> Demand:
        """At an occurrence, as if it were done; of an agent loop only where it is `active`, if that is given."""
        if isinstance(work.body, Rework):
            items = innermost_items(work.loops)
            assert items is not None
            return self._sum(work.body.work, index[: items + 1]).times(work.body.share)
        service = self.services[work.model] if work.model else _IDLE
        reads, where = self._read(work, index)
        apart = work.conversation is not None or where is not None
        apart = apart or (isinstance(work.body, Syncing) and work.body.agents.counted is not None)
        counts = tuple(loop.count for loop in work.loops if loop.items)  # ramp-ups are of as many agents as there are
        only = active if isinstance(work.body, AgentLoop) else None
        where_only = None if only is None else blake2b(only.tobytes(), digest_size=16).digest()
        declared = work.step, id(work.body), id(work.retry), id(reads and reads.body)
        key = (*declared, service, work.ratio, counts, index, where_only)
        known = self.apart if apart else self.known
        if key not in known:
            around = self._around(work, index, reads, where, service)
            occurrence = Occurrence(self.samples, self.layers, work, service, index, around, self.traces is not None)
            if self.traces is not None:
                self.traces[work, index] = occurrence
            demand = occurrence.demand(only)
            if work.retry is not None and index[-1] > 0:
                path = f"{work.step}/{work.kind}"
                wait = draw_estimate(work.retry.wait, self.samples, rows(work.loops), path, "wait", drawn_index(index))
                demand = replace(demand, wait=wait)
            known[key] = demand
        return known[key]

    def _read(self, work: Work, index: Index) -> tuple[Work | None, Bools | None]:
        """The work whose output a request reads, and where it does; None: everywhere."""
        if not isinstance(work.reads, Briefing):
            return work.reads, None
        items = innermost_items(work.loops)
        assert items is not None
        base, where = index[: items + 1], None
        attempts = len(work.loops) - (work.retry is not None)
        for other, inner in work.reads.requests:
            at = (*base, *inner)
            rounds = (here for here in range(items + 1, attempts) if work.loops[here].kind == "rounds")
            if other is work and all(at[here] == index[here] for here in rounds):
                return work.reads.brief, where  # a second attempt reads it again, as every copy does
            if always(other.guard, inner, work.reads.guard, items + 1):
                break
            shared = range(items + 1, shared_loops(other.loops, work.loops))
            at = tuple(
                index[here] if here in shared and other.loops[here].kind == "copies" else number
                for here, number in enumerate(at)
            )
            unread = ~self.conditions.holds(other.guard, at) if other.guard is not None else np.zeros((1, 1), bool)
            where = unread if where is None else where & unread
            active = self.conditions.active(work.guard, index)
            if not (where if active is None else where & active).any():
                break  # soon so, however many requests follow
        return None, None

    def _around(
        self, work: Work, index: Index, reads: Work | None, where: Bools | None, service: ServingTraits
    ) -> OccurrenceInputs:
        size = None if work.coordination else self._size(work.loops, index)
        read = NONE if reads is None else _retold(self.demand(reads, index[: len(reads.loops)]).output, reads, work)
        read = read if where is None else read * where
        context = warm = NONE
        if work.conversation is not None:
            context = _retold(
                self.threads.continued(work, work.conversation, index), self.marks[work.conversation.work].subject, work
            )
            if service.caches and self.marks[work.conversation.work].subject.model == work.model:
                warm = (self.threads.between(work, work.conversation, index) <= service.cache_ttl).astype(float)
        agents = NONE
        if isinstance(work.body, Syncing):
            agents = self.conditions.agents(work.body.agents, index[:-1])
        return OccurrenceInputs(size, read, context, warm, agents)

    def _size(self, loops: Loops, index: Index) -> Floats | None:
        """The size of the items around an occurrence, (rows or 1, samples): the product over nested fan-outs."""
        size = None
        for at, loop in enumerate(loops):
            if loop.size is None and loop.sizes is None:
                continue
            around, chosen = own_row(loops[: at + 1], index)
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
        work = self.marks[attempt.path].subject
        assert attempt.timeout is not None
        return np.asarray(self.lasts(work, self.demand(work, index)) > attempt.timeout)

    # Sums

    def done(self, work: Work, index: Index) -> Demand:
        """At an occurrence, where it is done, and cut where an attempt would take too long."""
        active = self.conditions.active(work.guard, index)
        demand = self.demand(work, index, active)
        timeout = work.retry.timeout if work.retry is not None else None
        if timeout is not None:
            share = timeout / np.maximum(self.lasts(work, demand), timeout)
            cut = {name: getattr(demand, name) * share for name in ("requests", "prefill", "decode", "seconds")}
            demand = replace(demand, **cut)
        return demand if active is None else demand.where(active)

    def _sum(self, work: Work, index: Index) -> Demand:
        """The demand of all occurrences of a work within those of `index`; of a race that of its first copy."""
        if (work, index) not in self.sums:
            self.sums[work, index] = self._summed(work, index)
        return self.sums[work, index]

    def _summed(self, work: Work, index: Index) -> Demand:
        inner = work.loops[len(index) :]
        if EVERY in index and any(loop.items for loop in inner):
            at = index.index(EVERY)
            each = [self._summed(work, (*index[:at], item, *index[at + 1 :])) for item in range(work.loops[at].count)]
            return Demand.stacked(each)
        total = Demand()
        for one in occurrences(inner):
            if not any(number for number, loop in zip(one, inner, strict=True) if loop.first):
                total = total.plus(self.done(work, (*index, *one)))
        items = any(loop.items for loop in inner)
        return total.over_items(rows(work.loops)) if items else total


def _retold(tokens: Floats, by: Work, to: Work) -> Floats:
    """Tokens that one work wrote in the tokens of another's model."""
    return tokens if by.ratio == to.ratio else np.floor(tokens * (to.ratio / by.ratio) + 0.5)


def tasks_at(tasks: Ints, index: Index) -> NDArray[np.int32]:
    """(rows,) tasks of an occurrence: one, or one for each item."""
    return np.atleast_1d(tasks[tuple(slice(None) if number == EVERY else number for number in index)])
