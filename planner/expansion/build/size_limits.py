"""How large a workflow becomes, counted before anything of it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor

from planner.errors import InputError, Problem
from planner.expansion.build.counts import count_at, most_drawn
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.reading.estimates.counts import CountValue
from planner.reading.estimates.estimate import Estimate
from planner.workflow.declaration import Step, Workflow

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
