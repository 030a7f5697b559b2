"""How large a workflow becomes, counted before anything of it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor

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
    """A count with the values of parameters, and so many agents. Raises InputError where it is none."""
    try:
        return count_of(declared, {**values, "agents": agents})
    except BadValueError as mistake:
        raise InputError([Problem(mistake.code, f"a count: {mistake}", None, mistake.hint)]) from None


def most_drawn(declared: ForEach, values: Mapping[str, float], agents: int) -> int:
    """`most_items` of a fan-out over a drawn number of items, with the values of parameters, and so many agents."""
    known = bind(declared, {**values, "agents": agents}, None).count
    assert isinstance(known, Estimate)
    return most_items(known)


def most_items(estimate: Estimate) -> int:
    """Items that a graph is built for: draws above are cut."""
    return max(1, int(np.floor(estimate.quantile(MOST_COUNT) + 0.5)))


MOST_TASKS = 2_000_000
"""Most tasks that a workflow may expand to: pieces of work, counting those that the scheduler sees as one."""

MOST_PIECES = 100_000
"""Most pieces of work in one item, with its rounds."""

AGAIN = 3
"""Conflicts that an item may have."""

_HANDS = 4
"""Tasks that take and give back an agent for rework, and one for its merge."""


def check_size(workflow: Workflow, sizes: Mapping[str, int]) -> None:
    """Raises InputError where there are over `MOST_TASKS` tasks, or over `MOST_PIECES` pieces in an item."""
    around = _Around(("steps",), workflow.parameters, DEFAULT_CREW, inside=False)
    _Size(workflow, sizes).group(around, workflow.steps)


@dataclass(frozen=True)
class _Around:
    """What is around a step: keys of the file, values of parameters, the crew, whether it is an item."""

    path: tuple[str, ...]
    values: Mapping[str, float]
    crew: str
    inside: bool


class _Size:
    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow = workflow
        self.sizes = sizes

    def group(self, around: _Around, steps: Mapping[str, Step]) -> tuple[int, int]:
        """Tasks of a group, and pieces where it stands inside of an item."""
        found = [self.step(replace(around, path=(*around.path, name)), step) for name, step in steps.items()]
        tasks, pieces = sum(tasks for tasks, _ in found), sum(pieces for _, pieces in found)
        self.check(around.path[:-1], tasks, MOST_TASKS, "expands to {:,} tasks")
        return tasks, pieces

    def step(self, here: _Around, step: Step) -> tuple[int, int]:
        """Tasks of a step with its loops, and the pieces that it is for the item around it: a fan-out is one."""
        crew = step.crew or here.crew
        inner = replace(here, crew=crew, inside=here.inside or step.for_each is not None)
        tasks, pieces = self.body(inner, step)
        rounds = step.repeat.most if step.repeat is not None else None
        attempts = step.retry.at_most if step.retry is not None else None
        for count in (rounds, step.best_of, step.first_of, attempts):
            if count is not None:
                times = self.count(count, inner)
                tasks, pieces = tasks * times, pieces * times
        if inner.inside:
            self.check(here.path, pieces, MOST_PIECES, "has {:,} pieces of work in an item")
        if step.for_each is not None:
            items = step.for_each.count
            if isinstance(items, Estimate):
                number = most_drawn(step.for_each, here.values, self.agents(crew))
            else:
                assert items is not None
                number = self.count(items, inner)
            tasks, pieces = (tasks + self.coordination(crew, pieces)) * (number + self.redundant(crew, number)), 1
        self.check(here.path, tasks, MOST_TASKS, "expands to {:,} tasks")
        return tasks, pieces

    def body(self, here: _Around, step: Step) -> tuple[int, int]:
        if step.steps is not None:
            return self.group(replace(here, path=(*here.path, "steps")), step.steps)
        if step.choose is not None:
            return self.group(replace(here, path=(*here.path, "choose")), step.choose)
        if step.used is not None:
            inside = replace(here, path=(*here.path, "use"), values=step.used.parameters)
            return self.group(inside, step.used.steps)
        return 1, 1

    def agents(self, crew: str) -> int:
        return self.sizes.get(crew, 1)

    def count(self, declared: CountValue, here: _Around) -> int:
        try:
            return count_at(declared, here.values, self.agents(here.crew))
        except InputError as error:
            place = self.workflow.place(*here.path)
            raise InputError(replace(problem, position=place) for problem in error.problems) from None

    def coordination(self, crew: str, pieces: int) -> int:
        """Tasks of coordination for an item with so many pieces, if its crew is larger than one."""
        if self.agents(crew) == 1 or crew not in self.workflow.crews:
            return 0
        declared = self.workflow.crews[crew].coordination
        again = AGAIN * (_HANDS + 1 + pieces) if declared.conflict else 0
        return bool(declared.brief) + bool(declared.sync) + 2 * bool(declared.report) + bool(declared.merge) + again

    def redundant(self, crew: str, items: int) -> int:
        """Items that are done again."""
        if crew not in self.workflow.crews:
            return 0
        share = self.workflow.crews[crew].coordination.redundancy
        return floor(share * items + 0.5) * (min(self.agents(crew), items) - 1)

    def check(self, path: tuple[str, ...], size: int, most: int, what: str) -> None:
        if size > most:
            name = ".".join(path[1::2]) or self.workflow.workflow
            message = f"'{name}' {what.format(size)}; the limit is {most:,}"
            hint = "plan a part of it, or fewer items of more work each"
            raise InputError([Problem("too-large", message, self.workflow.place(*path), hint)])


def most_busy_agents(workflow: Workflow, sizes: Mapping[str, int], crew: str) -> int:
    """Most agents of a crew that could be busy at once, at least 1; more than these wait for work."""
    start = DEFAULT_CREW if not workflow.crews else LEAD
    return max(1, _Width(sizes, crew).group(workflow.steps, workflow.parameters, start, inside=False))


class _Width:
    def __init__(self, sizes: Mapping[str, int], crew: str) -> None:
        self.sizes = sizes
        self.crew = crew

    def group(self, steps: Mapping[str, Step], values: Mapping[str, float], crew: str, inside: bool) -> int:
        """Of steps by what they need; the steps of an item run one after another."""
        wide = {name: self.step(steps[name], values, crew, inside) for name in in_order(steps)}
        return max(wide.values(), default=0) if inside else max_concurrent_weight(wide, needs(steps))

    def step(self, step: Step, values: Mapping[str, float], crew: str, inside: bool) -> int:
        crew = step.crew or crew
        agents = self.sizes.get(crew, 1)
        width = self.body(step, values, crew, inside or step.for_each is not None)
        for copies in (step.best_of, step.first_of):
            if copies is not None:
                width *= count_at(copies, values, agents)
        if step.for_each is not None:
            items = step.for_each.count
            if isinstance(items, Estimate):
                width *= most_drawn(step.for_each, values, agents)
            else:
                width *= count_at(items, values, agents)
        return width

    def body(self, step: Step, values: Mapping[str, float], crew: str, inside: bool) -> int:
        if step.used is not None:
            return self.group(step.used.steps, step.used.parameters, crew, inside)
        if step.choose is not None:
            return max((self.step(branch, values, crew, inside) for branch in step.choose.values()), default=0)
        if step.steps is not None:
            found = self.group(step.steps, values, crew, inside)
            return max(found, int(inside and crew == self.crew))
        return int(crew == self.crew and (step.kind in ("llm", "agent") or step.crew is not None or inside))
