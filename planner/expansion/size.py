"""How large a workflow becomes, counted before anything of it is built."""

from __future__ import annotations

from collections.abc import Mapping

from planner.errors import InputError, Problem
from planner.workflow.declaration import Step, Workflow

MOST_TASKS = 2_000_000
"""Most tasks that a workflow may expand to: pieces of work, counting those that the scheduler sees as one."""

MOST_PIECES = 100_000
"""Most pieces of work in one item, with its rounds."""


def check_size(workflow: Workflow) -> None:
    """Raises InputError where there are over `MOST_TASKS` tasks, or over `MOST_PIECES` pieces in an item."""
    _Size(workflow).group(("steps",), workflow.steps, inside=False)


class _Size:
    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow

    def group(self, path: tuple[str, ...], steps: Mapping[str, Step], inside: bool) -> tuple[int, int]:
        """Tasks of a group, and pieces where it stands `inside` of an item."""
        sizes = [self.step((*path, name), step, inside) for name, step in steps.items()]
        tasks, pieces = sum(tasks for tasks, _ in sizes), sum(pieces for _, pieces in sizes)
        self.check(path[:-1], tasks, MOST_TASKS, "expands to {:,} tasks")
        return tasks, pieces

    def step(self, path: tuple[str, ...], step: Step, inside: bool) -> tuple[int, int]:
        """Tasks of a step with its loops, and the pieces that it is for the item around it: a fan-out is one."""
        within = inside or step.for_each is not None
        if step.steps is not None:
            tasks, pieces = self.group((*path, "steps"), step.steps, within)
        elif step.choose is not None:
            tasks, pieces = self.group((*path, "choose"), step.choose, within)
        else:
            tasks, pieces = 1, 1
        times = 1 if step.repeat is None else self.workflow.count(step.repeat.most)
        tasks, pieces = tasks * times, pieces * times
        if within:
            self.check(path, pieces, MOST_PIECES, "has {:,} pieces of work in an item")
        if step.for_each is not None:
            items = self.workflow.count(step.for_each.count)
            tasks, pieces = (tasks + self.coordination(step)) * items, 1
        self.check(path, tasks, MOST_TASKS, "expands to {:,} tasks")
        return tasks, pieces

    def coordination(self, step: Step) -> int:
        """Tasks of coordination for an item, if its crew is larger than one."""
        if step.crew is None:
            return 0
        declared = self.workflow.crews[step.crew].coordination
        return bool(declared.brief) + 2 * bool(declared.report) + bool(declared.merge)

    def check(self, path: tuple[str, ...], size: int, most: int, what: str) -> None:
        if size > most:
            name = ".".join(path[1::2]) or self.workflow.workflow
            message = f"'{name}' {what.format(size)}; the limit is {most:,}"
            hint = "plan a part of it, or fewer items of more work each"
            raise InputError([Problem("too-large", message, self.workflow.place(*path), hint)])
