"""A workflow and crew sizes in; errors about too large workflows, and bounds on busy agents, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor, prod

import numpy as np

from planner.errors import InputError, Problem
from planner.expansion.graph.order import in_order, max_concurrent_weight, needs
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.reading.bind import bind
from planner.reading.estimates.counts import CountValue, count_of
from planner.reading.estimates.estimate import Estimate
from planner.reading.units import BadValueError
from planner.workflow.declaration import ForEach, Step, Workflow

MOST_COUNT = 0.999
"""Draws of a number of items are cut at this quantile."""


def count_at(declared: CountValue, values: Mapping[str, float], agents: int) -> int:
    """Evaluate a declared count with these values of parameters. Raises InputError if the result is not a count."""
    try:
        return count_of(declared, {**values, "agents": agents})
    except BadValueError as mistake:
        raise InputError([Problem(mistake.code, f"a count: {mistake}", None, mistake.hint)]) from None


def most_drawn(declared: ForEach, values: Mapping[str, float], agents: int) -> int:
    """Return `most_items` for a fan-out whose number of items is drawn. `values`: values of parameters."""
    estimate = bind(declared, {**values, "agents": agents}, None).count
    assert isinstance(estimate, Estimate)
    return most_items(estimate)


def most_items(estimate: Estimate) -> int:
    """Number of items for which a graph is built if the number is drawn. Larger draws are cut at this number."""
    return max(1, int(np.floor(estimate.quantile(MOST_COUNT) + 0.5)))


MOST_TASKS = 2_000_000
"""Limit on the tasks of a workflow. Each work counts as one task, even if works share a task of the scheduler."""

MOST_ITEM_WORKS = 100_000
"""Limit on the works of one item, counted in every round."""

MOST_CONFLICTS = 3
"""Limit on the conflicts of an item."""

_AGENT_TASKS = 4
"""Number of tasks that seize and release agents for one rework and the merge that follows it."""


def check_size(workflow: Workflow, sizes: Mapping[str, int]) -> None:
    """Raise InputError if a workflow has over `MOST_TASKS` tasks, or over `MOST_ITEM_WORKS` works in an item."""
    context = _SizeContext(("steps",), (), workflow.parameters, DEFAULT_CREW, in_item=False)
    _Size(workflow, sizes).group(context, workflow.steps)


@dataclass(frozen=True)
class _SizeContext:
    """The surroundings of a step.

    path : keys in the file that lead to the step
    names : names of the steps on the path
    values : values of the parameters of its file
    crew : crew that does the step
    in_item : whether the step is part of an item
    tasks : number of times the step runs in the whole workflow
    works : number of times the step runs in one item
    """

    path: tuple[str, ...]
    names: tuple[str, ...]
    values: Mapping[str, float]
    crew: str
    in_item: bool
    tasks: int = 1
    works: int = 1


class _Size:
    """Counts tasks and, within an item, works. A fan-out inside an item counts as one work of that item."""

    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow = workflow
        self.sizes = sizes

    def group(self, context: _SizeContext, steps: Mapping[str, Step]) -> tuple[int, int]:
        """Return two numbers for a group: its tasks, and the works that it adds to an item around the group."""
        counts = [
            self.step(replace(context, path=(*context.path, name), names=(*context.names, name)), step)
            for name, step in steps.items()
        ]
        tasks, works = sum(tasks for tasks, _ in counts), sum(works for _, works in counts)
        self.check(replace(context, path=context.path[:-1]), tasks, MOST_TASKS, "expands to {:,} tasks", context.tasks)
        return tasks, works

    def step(self, context: _SizeContext, step: Step) -> tuple[int, int]:
        """Return two numbers for a step with its loops: its tasks, and the works that it adds to an item around it."""
        crew = step.crew or context.crew
        inner = replace(context, crew=crew, in_item=context.in_item or step.for_each is not None)
        rounds = step.repeat.most if step.repeat is not None else None
        attempts = step.retry.at_most if step.retry is not None else None
        loops = (rounds, step.best_of, step.first_of, attempts)
        runs = prod(self.count(declared, inner) for declared in loops if declared is not None)
        items = self.items(step.for_each, inner) if step.for_each is not None else 1
        around = 1 if step.for_each is not None else context.works
        tasks, works = self.body(replace(inner, tasks=context.tasks * items * runs, works=around * runs), step)
        tasks, works = tasks * runs, works * runs
        if inner.in_item:
            text = "has {:,} pieces of work in an item"
            self.check(context, works, MOST_ITEM_WORKS, text, around)
        if step.for_each is not None:
            tasks = (tasks + self.coordination(crew, works)) * items
            works = 1
        self.check(context, tasks, MOST_TASKS, "expands to {:,} tasks", context.tasks)
        return tasks, works

    def items(self, declared: ForEach, context: _SizeContext) -> int:
        """Items of a fan-out, with those that several agents do counted for each."""
        if isinstance(declared.count, Estimate):
            items = most_drawn(declared, context.values, self.agents(context.crew))
        else:
            assert declared.count is not None
            items = self.count(declared.count, context)
        return items + self.redundant(context.crew, items)

    def body(self, context: _SizeContext, step: Step) -> tuple[int, int]:
        if step.steps is not None:
            return self.group(replace(context, path=(*context.path, "steps")), step.steps)
        if step.choose is not None:
            return self.group(replace(context, path=(*context.path, "choose")), step.choose)
        if step.used is not None:
            inside = replace(context, path=(*context.path, "use"), values=step.used.parameters)
            return self.group(inside, step.used.steps)
        return 1, 1

    def agents(self, crew: str) -> int:
        return self.sizes.get(crew, 1)

    def count(self, declared: CountValue, context: _SizeContext) -> int:
        try:
            return count_at(declared, context.values, self.agents(context.crew))
        except InputError as error:
            position = self.workflow.place(*context.path)
            raise InputError(replace(problem, position=position) for problem in error.problems) from None

    def coordination(self, crew: str, works: int) -> int:
        """Number of coordination tasks for an item with `works` works; 0 for a crew of one agent."""
        if self.agents(crew) == 1 or crew not in self.workflow.crews:
            return 0
        declared = self.workflow.crews[crew].coordination
        rework = MOST_CONFLICTS * (_AGENT_TASKS + 1 + works) if declared.conflict else 0
        return bool(declared.brief) + bool(declared.sync) + 2 * bool(declared.report) + bool(declared.merge) + rework

    def redundant(self, crew: str, items: int) -> int:
        """Number of repetitions of items that several agents do."""
        if crew not in self.workflow.crews:
            return 0
        share = self.workflow.crews[crew].coordination.redundancy
        return floor(share * items + 0.5) * (min(self.agents(crew), items) - 1)

    def check(self, context: _SizeContext, size: int, limit: int, text: str, times: int) -> None:
        """Raise InputError if a step is over a limit in one run. `times`: number of runs, for the message."""
        if size > limit:
            name = ".".join(context.names) or self.workflow.workflow
            message = f"'{name}' {text.format(size * times)}; the limit is {limit:,}"
            hint = "plan a part of it, or fewer items of more work each"
            raise InputError([Problem("too-large", message, self.workflow.place(*context.path), hint)])


def most_busy_agents(workflow: Workflow, sizes: Mapping[str, int], crew: str) -> int:
    """Upper bound on the number of busy agents of a crew, at least 1. Additional agents would never have work."""
    start = DEFAULT_CREW if not workflow.crews else LEAD
    return max(1, _BusyAgents(sizes, crew).group(workflow.steps, workflow.parameters, start, in_item=False))


class _BusyAgents:
    def __init__(self, sizes: Mapping[str, int], crew: str) -> None:
        self.sizes = sizes
        self.crew = crew

    def group(self, steps: Mapping[str, Step], values: Mapping[str, float], crew: str, in_item: bool) -> int:
        """Return the bound for a group of steps. The steps of an item run one after another."""
        busy = {name: self.step(steps[name], values, crew, in_item) for name in in_order(steps)}
        return max(busy.values(), default=0) if in_item else max_concurrent_weight(busy, needs(steps))

    def step(self, step: Step, values: Mapping[str, float], crew: str, in_item: bool) -> int:
        crew = step.crew or crew
        agents = self.sizes.get(crew, 1)
        busy = self.body(step, values, crew, in_item or step.for_each is not None)
        for copies in (step.best_of, step.first_of):
            if copies is not None:
                busy *= count_at(copies, values, agents)
        if step.for_each is not None:
            items = step.for_each.count
            if isinstance(items, Estimate):
                busy *= most_drawn(step.for_each, values, agents)
            else:
                busy *= count_at(items, values, agents)
        return busy

    def body(self, step: Step, values: Mapping[str, float], crew: str, in_item: bool) -> int:
        if step.used is not None:
            return self.group(step.used.steps, step.used.parameters, crew, in_item)
        if step.choose is not None:
            return max((self.step(branch, values, crew, in_item) for branch in step.choose.values()), default=0)
        if step.steps is not None:
            busy = self.group(step.steps, values, crew, in_item)
            return max(busy, int(in_item and crew == self.crew))
        return int(crew == self.crew and (step.kind in ("llm", "agent") or step.crew is not None or in_item))
