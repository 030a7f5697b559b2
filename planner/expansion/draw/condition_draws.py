"""Conditions and samples in; boolean arrays out: where conditions hold, steps fail, and items change agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.graph.conditions import (
    EVERY,
    Attempt,
    BusyAgents,
    ChanceHolds,
    ConflictOccurs,
    DrawnCount,
    Guard,
    Index,
    ItemExists,
    Loop,
    Outcome,
    Round,
    StepFailed,
    drawn_index,
    drawn_rows,
    row_loop,
    rows,
)
from planner.expansion.graph.fragments import NO_POOL
from planner.expansion.graph.segments import AgentTask, ItemPlan, SeizeTask

TimedOut = Callable[[Attempt, Index], Bools]
"""A function that returns where an attempt would exceed its timeout if the attempt were made."""

Condition = TypeVar("Condition", bound=Guard)


class ConditionDraws:
    """Draws whether conditions hold. Each draw is made once and then kept."""

    def __init__(self, samples: Samples, timed_out: TimedOut) -> None:
        self.samples = samples
        self.timed_out = timed_out
        self.cache: dict[tuple[object, Index], Bools] = {}  # values of guards and outcomes
        self.prefixes: dict[tuple[Guard, Index], list[Bools]] = {}  # for rounds and attempts, see `_all_before`
        self.needed_tasks: dict[tuple[ItemPlan, Index], dict[AgentTask, Bools]] = {}

    def active(self, guard: Guard | None, index: Index) -> Bools | None:
        """Return a mask (items, samples) that is true where a condition holds.

        The mask has one row if it is the same for all items.

        If `guard` is None, return None: the work is always done.

        index : number in each loop around the work
        """
        return None if guard is None else self.holds(guard, index)

    def holds(self, guard: Guard, index: Index) -> Bools:
        """Return a mask (items or 1, samples) that is true where a condition holds.

        index : occurrence of the work under this condition
        """
        around, chosen = drawn_rows(guard.loops, index)
        values = self._values(guard, around)
        return values[chosen] if len(values) > 1 else values

    def _values(self, guard: Guard, index: Index) -> Bools:
        if (guard, index) not in self.cache:
            values = self._own(guard, index)
            parent = self.active(guard.parent, index)
            self.cache[guard, index] = values if parent is None else values & parent
        return self.cache[guard, index]

    def _own(self, guard: Guard, index: Index) -> Bools:
        """Return a mask that is true where a condition holds. The enclosing conditions are ignored."""
        if isinstance(guard, ChanceHolds):
            u = self.samples.uniform(rows(guard.loops), guard.path, "chance", drawn_index(index))
            return (u >= guard.low) & (u < guard.high)
        if isinstance(guard, Round):
            return self._all_before(guard, index, self.rejected)
        if isinstance(guard, Attempt):
            return self._all_before(guard, index, self.attempt_fails)
        if isinstance(guard, ConflictOccurs):
            return self._all(self.conflict(guard, (*index[:-1], number)) for number in range(index[-1] + 1))
        if isinstance(guard, ItemExists):
            count = self.count(guard.counted, index[:-1])
            items = np.array(guard.loops[-1].same or range(rows(guard.loops)))
            return np.asarray((items[:, None] < count) & (count > guard.several))
        assert isinstance(guard, StepFailed)
        return self.fails(guard.outcome, index)

    def _all_before(self, guard: Condition, index: Index, condition: Callable[[Condition, Index], Bools]) -> Bools:
        """Return a mask that is true where `condition` holds in all rounds before `index`.

        Attempts are treated like rounds. Each round is evaluated once.
        """
        prefixes = self.prefixes.setdefault((guard, index[:-1]), [np.ones((1, 1), bool)])
        while len(prefixes) <= index[-1]:
            prefixes.append(prefixes[-1] & condition(guard, (*index[:-1], len(prefixes) - 1)))
        return prefixes[index[-1]]

    @staticmethod
    def _all(conditions: Iterator[Bools]) -> Bools:
        values: Bools = np.ones((1, 1), bool)
        for condition in conditions:
            values = values & condition
        return values

    def rejected(self, guard: Round, index: Index) -> Bools:
        """Return a mask that is true where a round is rejected, as if the round took place in every sample."""
        u = self.samples.uniform(rows(guard.loops), guard.path, "accepted", drawn_index(index))
        values: Bools = u >= guard.until
        for body in guard.body:
            values = values | self.fails(body, index)
        return values

    def attempt_fails(self, guard: Attempt, index: Index) -> Bools:
        """Return a mask that is true where an attempt fails. Where the attempt is not made, the mask has no meaning."""
        values: Bools = np.zeros((1, 1), bool)
        if guard.chance:
            u = self.samples.uniform(rows(guard.loops), guard.path, "attempt", drawn_index(index))
            values = u < guard.chance
        return values if guard.timeout is None else values | self.timed_out(guard, index)

    def conflict(self, guard: ConflictOccurs, index: Index) -> Bools:
        """Return a mask that is true where a merge finds a conflict.

        Its probability is `1 - (1 - guard.chance) ** (number of busy agents - 1)`.
        """
        u = self.samples.uniform(rows(guard.loops), guard.path, "conflict", drawn_index(index))
        return np.asarray(u >= (1.0 - guard.chance) ** (self.agents(guard.agents, index[:-2]) - 1.0))

    def count(self, counted: DrawnCount, index: Index) -> Floats:
        """Return the drawn number of items at an occurrence of a fan-out, (1, samples)."""
        around, chosen = drawn_rows(counted.loops, index)
        key = drawn_index(around)
        values = draw_estimate(counted.estimate, self.samples, rows(counted.loops), counted.path, "count", key)
        values = np.minimum(values, float(counted.most))
        return values[chosen] if len(values) > 1 else values

    def agents(self, agents: BusyAgents, index: Index) -> Floats:
        """Return the number of busy agents at an occurrence of a fan-out, (1, 1) or (1, samples)."""
        most = np.full((1, 1), float(agents.most))
        return most if agents.counted is None else np.minimum(self.count(agents.counted, index), most)

    def fails(self, outcome: Outcome, index: Index) -> Bools:
        """Return a mask (items or 1, samples) that is true where a step fails.

        The step fails as a whole if, for example, one of its items fails. A longer index selects a part of the step.
        For example, let a step have one loop around it and be a fan-out itself. Then (2,) is the whole step in round 2,
        and (2, 5) is only its item 5.

        index : number in each loop around the step, and then in none, some or all of its own loops, outermost first
        """
        if (outcome, index) not in self.cache:
            self.cache[outcome, index] = self._fails(outcome, index)
        return self.cache[outcome, index]

    def _fails(self, outcome: Outcome, index: Index) -> Bools:
        level = len(index) - len(outcome.around)
        if level == len(outcome.own):
            return self._body_fails(outcome, index)
        loop = outcome.own[level]
        if loop.items:
            return self._some_item_fails(outcome, index)
        if loop.kind == "copies":
            if loop.together:
                copies_fail = self.fails(outcome, (*index, EVERY))
                return copies_fail[:1] if outcome.race else np.asarray(copies_fail.all(0, keepdims=True))
            copies = range(1 if outcome.race else loop.count)
            return self._all(self.fails(outcome, (*index, copy)) for copy in copies)
        if outcome.round is not None:
            last = (*index, loop.count - 1)
            return self.holds(outcome.round, last) & self.rejected(outcome.round, last)
        values: Bools = np.zeros((1, 1), bool)
        for number in range(loop.count):
            values = values | self.fails(outcome, (*index, number))
        return values

    def _some_item_fails(self, outcome: Outcome, index: Index) -> Bools:
        loop = outcome.own[len(index) - len(outcome.around)]
        if EVERY not in index:
            return _any_item(self.fails(outcome, (*index, EVERY)), loop)
        position = index.index(EVERY)
        values = []
        for outer_item in range(outcome.around[position].count):
            outer = (*index[:position], outer_item, *index[position + 1 :])
            values.append(_any_item(self.fails(outcome, (*outer, EVERY)), loop))
        return np.concatenate(np.broadcast_arrays(*values))

    def _body_fails(self, outcome: Outcome, index: Index) -> Bools:
        """Return a mask that is true where one run of a step's body fails.

        The body fails in three cases: its last attempt fails, the draw for `success` fails, or a step inside it fails.
        """
        values: Bools = np.zeros((1, 1), bool)
        if outcome.attempt is not None:
            last = (*index, outcome.attempt.loops[-1].count - 1)
            values = values | (self.holds(outcome.attempt, last) & self.attempt_fails(outcome.attempt, last))
        if outcome.success < 1:
            loops = (*outcome.around, *outcome.own)
            u = self.samples.uniform(rows(loops), outcome.path, "success", drawn_index(index))
            values = values | (u >= outcome.success)
        for inner in outcome.inner:
            values = values | self.fails(inner, index)
        done = self.active(outcome.guard, index)
        return values if done is None else values & done

    def needed(self, task: AgentTask, index: Index) -> Bools:
        """Return a mask that is true where a task is needed. Where the mask is false, the task is skipped.

        task : a task that seizes or releases an agent for an item
        index : number in each loop around the item
        """
        key = task.plan, index
        if key not in self.needed_tasks:
            self.needed_tasks[key] = dict(self._needed_masks(task.plan, index))
        return self.needed_tasks[key][task]

    def _needed_masks(self, plan: ItemPlan, index: Index) -> Iterator[tuple[AgentTask, Bools]]:
        """Yield each task that seizes or releases an agent for an item, with a mask that is true where it is needed.

        The function goes through the segments of the item in order. In each sample, it follows which agent is held.

        plan : segments of the item and its tasks that seize or release agents
        index : number in each loop around the item
        """
        position = row_loop(plan.loops)
        count = 1 if position is None or index[position] != EVERY else plan.loops[position].count
        held = np.full((count, len(self.samples)), NO_POOL)
        released = np.zeros(held.shape, bool)  # where the previous segment was done and releases its agent
        for position, segment in enumerate((*plan.segments, None)):
            active, pool = np.ones_like(released), NO_POOL
            if segment is not None:
                done, pool = self.active(segment.guard, index + segment.inner), segment.pool
                active = active if done is None else np.broadcast_to(done, held.shape)
            still_held = np.where(released, NO_POOL, held)
            for task in (task for task in plan.agent_tasks if task.position == position):
                if isinstance(task, SeizeTask):
                    yield task, active & (still_held != pool)
                else:
                    yield task, (held == task.pool) & (released | (active & (held != pool)))
            held = np.where(active, pool, still_held)
            releases = segment is not None and (segment.detached or segment.releases)
            released = active if releases else np.zeros_like(released)


def _any_item(fails: Bools, loop: Loop) -> Bools:
    """Return a mask (1, samples) that is true where at least one item fails.

    If several agents do the same item, the item fails only if all these agents fail.
    """
    if loop.same is not None and len(fails) > 1:
        all_agents = np.ones_like(fails)
        np.logical_and.at(all_agents, list(loop.same), fails)
        fails = all_agents[: min(len(fails), max(loop.same) + 1)]
    return np.asarray(fails.any(0, keepdims=True))
