"""A workflow and crew sizes in; errors about too large workflows, and bounds on busy agents, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor

import numpy as np

from planner.errors import InputError, Problem
from planner.expansion.graph.order import in_order, max_concurrent_weight, needs
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.expansion.supersteps.runtime import Runtime
from planner.reading.bind import bind
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.counts import CountValue, count_of
from planner.reading.estimates.estimate import Estimate
from planner.reading.units import BadValueError
from planner.workflow.checks.agents import unbound_agents
from planner.workflow.declaration import ForEach, Step, Workflow

MOST_COUNT = 0.999
"""Draws of a number of items are cut at this quantile."""


def count_at(declared: CountValue, values: Mapping[str, float], agents: int | None) -> int:
    """Return the value of a declared count. Raises `InputError` if the value is not a valid count.

    values : values of parameters
    agents : number of agents
    """
    try:
        return count_of(declared, values if agents is None else {**values, AGENTS: agents})
    except BadValueError as mistake:
        raise InputError([Problem(mistake.code, f"a count: {mistake}", None, mistake.hint)]) from None


def most_drawn(declared: ForEach, values: Mapping[str, float], agents: int | None) -> int:
    """Return the largest number of items that a fan-out can draw. `declared.count` must be an estimate.

    values : values of parameters
    agents : number of agents
    """
    estimate = bind(declared, values if agents is None else {**values, AGENTS: agents}, None).count
    assert isinstance(estimate, Estimate)
    return most_items(estimate)


def most_items(estimate: Estimate) -> int:
    """Return the limit for a number of items that is drawn from an estimate. Larger draws are reduced to this limit."""
    return max(1, int(np.floor(estimate.quantile(MOST_COUNT) + 0.5)))


MOST_TASKS = 2_000_000
"""Limit on the tasks of a workflow. Each work counts as one task, even if works share a task of the scheduler."""

MOST_PASSES = 100_000
"""Limit on the passes of a workflow: occurrences of works that are computed one after another.

All items of a fan-out are computed in one pass, and so are all copies outside of fan-outs. Every round, attempt, copy
within an item, and item around another fan-out is a pass of its own. A pass takes 0.2 to 0.6 ms of CPU time.
"""

MOST_CONFLICTS = 3
"""Limit on the conflicts of an item."""

_AGENT_TASKS = 4
"""Number of tasks that seize and release agents for one rework and the merge that follows it."""


def check_agents(workflow: Workflow, sizes: Mapping[str, int]) -> None:
    """Raise `InputError` if a quantity of a step depends on the number of agents, and this number is unknown."""
    problems = [] if DEFAULT_CREW in sizes else unbound_agents(workflow)
    if problems:
        raise InputError(problems)


def check_size(workflow: Workflow, sizes: Mapping[str, int]) -> None:
    """Raise `InputError` if a workflow has over `MOST_TASKS` tasks, or over `MOST_PASSES` passes.

    A pass computes one occurrence of a piece of work, for all items of a fan-out together.
    """
    context = _SizeContext(("steps",), (), workflow.parameters, "", in_rows=False)
    _Size(workflow, sizes).group(context, workflow.steps)


@dataclass(frozen=True)
class _LoopFactors:
    """Factors by which the loops around a part of a workflow multiply the counts of this part.

    A pass computes one piece of work in one round, for all items of the innermost fan-out together.

    works : factor on the number of pieces of work
    single : factor on the number of passes for work outside of fan-outs in the part
    in_rows : factor on the number of passes for work in fan-outs in the part
    """

    works: int = 1
    single: int = 1
    in_rows: int = 1

    def in_rounds(self, count: int) -> _LoopFactors:
        """Return the factors inside one more loop of `count` rounds. All three are multiplied by `count`."""
        return _LoopFactors(self.works * count, self.single * count, self.in_rows * count)

    def in_items(self, count: int) -> _LoopFactors:
        """Return the factors inside one more fan-out of `count` items. One pass computes the same work of all items."""
        return _LoopFactors(self.works * count, self.in_rows, self.in_rows * count)


@dataclass(frozen=True)
class _SizeContext:
    """The surroundings of a step.

    path : keys in the file that lead to the step
    names : names of the steps on the path
    values : values of the parameters in the step's file
    crew : crew that does the step
    in_rows : whether the step is inside an item or a copy
    factors : factors by which the loops around the step multiply its numbers of pieces of work and of passes
    """

    path: tuple[str, ...]
    names: tuple[str, ...]
    values: Mapping[str, float]
    crew: str
    in_rows: bool
    factors: _LoopFactors = _LoopFactors()


@dataclass(frozen=True)
class _Counts:
    """Size of a part of a workflow: its number of pieces of work, and its number of passes.

    A pass computes one piece of work in one round, for all items of the innermost fan-out together.

    works : number of pieces of work, over all rounds and items
    single : number of passes for work outside of the part's fan-outs
    in_rows : number of passes for work inside the part's fan-outs
    """

    works: int
    single: int
    in_rows: int = 0

    @property
    def passes(self) -> int:
        return self.single + self.in_rows

    def plus(self, other: _Counts) -> _Counts:
        return _Counts(self.works + other.works, self.single + other.single, self.in_rows + other.in_rows)

    def in_rounds(self, count: int) -> _Counts:
        """Return the numbers of pieces of work and of passes for `count` rounds of this part."""
        return _Counts(self.works * count, self.single * count, self.in_rows * count)

    def in_items(self, count: int) -> _Counts:
        """Return the numbers of pieces of work and of passes for a fan-out with `count` items of this part.

        One pass computes the same work of all items. Work in fan-outs inside an item needs a pass for each item.
        """
        return _Counts(self.works * count, 0, self.single + self.in_rows * count)


class _Size:
    """Counts the pieces of work and the passes of a workflow. `check_size` says what a pass is."""

    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow = workflow
        self.sizes = sizes

    def group(self, context: _SizeContext, steps: Mapping[str, Step]) -> _Counts:
        counts = _Counts(0, 0)
        for name, step in steps.items():
            inside = replace(context, path=(*context.path, name), names=(*context.names, name))
            counts = counts.plus(self.step(inside, step))
        self.check(replace(context, path=context.path[:-1]), counts)
        return counts

    def step(self, context: _SizeContext, step: Step) -> _Counts:
        """Return the numbers of pieces of work and of passes for all items, rounds, copies and attempts of a step."""
        crew = step.crew or context.crew
        inner = replace(context, crew=crew, in_rows=context.in_rows or step.for_each is not None)
        has_copies = bool(step.best_of or step.first_of)
        attempts = 1 if step.retry is None else self.count(step.retry.at_most, inner)
        copies = self.count(step.best_of or step.first_of or 1, inner)
        rounds = 1 if step.repeat is None else self.count(step.repeat.most, inner)
        items = self.items(step, inner)
        factors = context.factors if step.for_each is None else context.factors.in_items(items)
        factors = factors.in_rounds(rounds)
        if has_copies:
            factors = factors.in_rounds(copies) if inner.in_rows else factors.in_items(copies)
        factors = factors.in_rounds(attempts)
        body = self.body(replace(inner, in_rows=inner.in_rows or has_copies, factors=factors), step)
        counts = body.in_rounds(attempts)
        if has_copies:
            counts = counts.in_rounds(copies) if inner.in_rows else counts.in_items(copies)
        counts = counts.in_rounds(rounds)
        if step.for_each is not None:
            coordination = self.coordination(crew, counts.passes)
            counts = counts.plus(_Counts(coordination, coordination)).in_items(items + self.redundant(crew, items))
            counts = counts.plus(self.ramp_ups(crew, items))
        self.check(context, counts)
        return counts

    def items(self, step: Step, context: _SizeContext) -> int:
        """Return the number of items of a step. A step without a fan-out counts as 1 item."""
        if step.for_each is None:
            return 1
        if isinstance(step.for_each.count, Estimate):
            return most_drawn(step.for_each, context.values, self.agents(context.crew))
        assert step.for_each.count is not None
        return self.count(step.for_each.count, context)

    def body(self, context: _SizeContext, step: Step) -> _Counts:
        if step.steps is not None:
            return self.group(replace(context, path=(*context.path, "steps")), step.steps)
        if step.choose is not None:
            return self.group(replace(context, path=(*context.path, "choose")), step.choose)
        if step.used is not None:
            inside = replace(context, path=(*context.path, "use"), values=step.used.parameters)
            return self.group(inside, step.used.steps)
        return _Counts(1, 1)

    def agents(self, crew: str) -> int | None:
        return _agents(self.sizes, crew)

    def count(self, declared: CountValue, context: _SizeContext) -> int:
        try:
            return count_at(declared, context.values, self.agents(context.crew))
        except InputError as error:
            position = self.workflow.place(*context.path)
            raise InputError(replace(problem, position=position) for problem in error.problems) from None

    def coordination(self, crew: str, passes: int) -> int:
        """Return the number of pieces of coordination work for an item. A crew of one agent has none.

        Each possible conflict of the item adds a rework, which repeats the work of the item, and a second merge.

        passes : number of passes that compute the work of the item
        """
        if crew not in self.workflow.crews or self.sizes[crew] == 1:
            return 0
        declared = self.workflow.crews[crew].coordination
        rework = MOST_CONFLICTS * (_AGENT_TASKS + 1 + passes) if declared.conflict else 0
        return bool(declared.brief) + bool(declared.sync) + 2 * bool(declared.report) + bool(declared.merge) + rework

    def ramp_ups(self, crew: str, items: int) -> _Counts:
        """Return the numbers of pieces of work and of passes with which the agents of a fan-out start.

        Each agent may wait for its delayed arrival (`stagger`), and then prepare itself for the items (`ramp_up`).
        """
        if crew not in self.workflow.crews or self.sizes[crew] == 1:
            return _Counts(0, 0)
        declared = self.workflow.crews[crew].coordination
        works = bool(declared.stagger) + (declared.ramp_up is not None)
        return _Counts(works * min(self.sizes[crew], items), 0, works)

    def redundant(self, crew: str, items: int) -> int:
        """Return the number of repetitions of items that the crew's `redundancy` adds.

        For example, if each of 3 agents does the same 2 items, the result is `2 * (3 - 1) = 4`.
        """
        if crew not in self.workflow.crews:
            return 0
        share = self.workflow.crews[crew].coordination.redundancy
        return floor(share * items + 0.5) * (min(self.sizes[crew], items) - 1)

    def check(self, context: _SizeContext, counts: _Counts) -> None:
        if counts.works > MOST_TASKS:
            size = f"expands to {counts.works * context.factors.works:,} tasks; the limit is {MOST_TASKS:,}"
            hint = "plan only a part of the workflow, or declare fewer items with more work in each"
        elif counts.passes > MOST_PASSES:
            passes = counts.single * context.factors.single + counts.in_rows * context.factors.in_rows
            size = f"has {passes:,} repetitions that are computed one by one; the limit is {MOST_PASSES:,}"
            hint = "plan only a part of the workflow, or declare fewer repetitions with more work in each"
        else:
            return
        name = ".".join(context.names) or self.workflow.workflow
        message = f"'{name}' {size}"
        raise InputError([Problem("too-large", message, self.workflow.place(*context.path), hint)])


def _agents(sizes: Mapping[str, int], crew: str) -> int | None:
    """Return the number of agents of a crew, or of all agents if `crew` is empty. Return None if there is no limit."""
    return sizes.get(crew or DEFAULT_CREW, 1 if crew == LEAD else None)


def most_busy_agents(workflow: Workflow, sizes: Mapping[str, int], crew: str) -> int:
    """Return an upper bound on the number of busy agents of a crew, at least 1.

    More agents than this number would never have work.

    crew : name of a crew, or `DEFAULT_CREW` for the agents of a workflow without crews
    """
    busy = _BusyAgents(sizes, "" if crew == DEFAULT_CREW else crew, Runtime.of(workflow).limit)
    return max(1, busy.group(workflow.steps, workflow.parameters, "", held=False))


class _BusyAgents:
    """Computes upper bounds on the number of busy agents of a crew.

    crew : name of the crew; empty for the agents of steps that belong to no crew
    """

    def __init__(self, sizes: Mapping[str, int], crew: str, limit: int | None) -> None:
        self.sizes = sizes
        self.crew = crew
        self.limit = limit  # of LangGraph, for each graph

    def group(self, steps: Mapping[str, Step], values: Mapping[str, float], crew: str, held: bool) -> int:
        """Return an upper bound on the number of agents of `self.crew` that a group of steps keeps busy.

        values : values of the parameters in the file of the steps
        crew : crew that the steps around the group name; empty: they name none
        held : whether the group is inside an item that one agent does, step after step
        """
        busy = {name: self.step(steps[name], values, crew, held) for name in in_order(steps)}
        if held:
            return max(busy.values(), default=0)
        together = max_concurrent_weight(busy, needs(steps))
        return together if self.limit is None else min(together, sum(sorted(busy.values())[-self.limit :]))

    def step(self, step: Step, values: Mapping[str, float], crew: str, held: bool) -> int:
        crew = step.crew or crew
        agents = _agents(self.sizes, crew)
        if step.for_each is not None:
            held = step.is_held(crew or None)
        busy = self.body(step, values, crew, held)
        copies = step.best_of or step.first_of
        if copies is not None and step.kind != "llm":  # one agent makes the requests of all copies
            count = count_at(copies, values, agents)
            busy *= self.at_a_time(count) if step.first_of is None else count  # a race is a single node
        if step.for_each is not None:
            items = step.for_each.count
            if isinstance(items, Estimate):
                busy *= self.at_a_time(most_drawn(step.for_each, values, agents))
            else:
                busy *= self.at_a_time(count_at(items, values, agents))
        return busy

    def at_a_time(self, count: int) -> int:
        """Return how many of `count` items or copies run at the same time."""
        return count if self.limit is None else min(count, self.limit)

    def body(self, step: Step, values: Mapping[str, float], crew: str, held: bool) -> int:
        if step.used is not None:
            return self.group(step.used.steps, step.used.parameters, crew, held)
        if step.choose is not None:
            return max((self.step(branch, values, crew, held) for branch in step.choose.values()), default=0)
        if step.steps is not None:
            busy = self.group(step.steps, values, crew, held)
            return max(busy, int(held and crew == self.crew))
        return int(crew == self.crew and (step.kind in ("llm", "agent") or step.crew is not None or held))
