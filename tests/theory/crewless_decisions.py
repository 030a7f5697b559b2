"""What happens in a sample of a workflow without crews: chances, branches, numbers of items, attempts, failures.

Written only from docs/reference/workflow.md and docs/model.md. From the planner come the durations of occurrences, for
timeouts, and the function that draws a uniform number for a key. Nothing here depends on the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from planner.engine import Samples
from planner.expansion.draw.estimates import draw_estimate
from planner.reading.estimates.estimate import Estimate
from planner.workflow import Workflow
from planner.workflow.declaration import Step

Steps = dict[str, Step]

SecondsOf = Callable[[str, tuple[int, ...]], float]
"""Seconds of an occurrence of a step with the wait before it, given the step's path and the numbers in the loops around."""


@dataclass(frozen=True)
class Place:
    """An occurrence of a step.

    loops : kind and number for each loop around it, outermost first
    order : place among all occurrences. Of those that wait for an agent since the same instant, the first gets it
    races : whether it may be cancelled
    served : whether an agent already makes its requests
    done : whether it is done. What is skipped takes no time and no agents
    """

    path: str = ""
    loops: tuple[tuple[str, int], ...] = ()
    order: tuple[int, ...] = ()
    races: bool = False
    served: bool = False
    done: bool = True

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(number for _, number in self.loops)

    def within(self, kind: str, number: int) -> Place:
        return replace(self, loops=(*self.loops, (kind, number)), order=(*self.order, number))

    def if_(self, done: bool) -> Place:
        return replace(self, done=done)

    def step(self, name: str, position: int) -> Place:
        return replace(self, path=f"{self.path}.{name}".lstrip("."), order=(*self.order, position))


class Decisions:
    """What is drawn in one sample of a workflow, and what follows from it.

    sample : number of the sample, from 0
    """

    def __init__(self, workflow: Workflow, seconds: SecondsOf, seed: int, sample: int) -> None:
        self.workflow, self.seconds = workflow, seconds
        self.samples = Samples(seed, sample, sample + 1)
        self.drawn: dict[tuple[str, str, tuple[int, ...]], float] = {}

    def uniform(self, purpose: str, place: Place, path: str = "") -> float:
        """A number between 0 and 1. Its row is the item of the innermost fan-out, else the outermost copy, else 0."""
        key = (path or place.path, purpose, place.numbers)
        if key not in self.drawn:
            row, others = row_and_others(place)
            self.drawn[key] = float(self.samples.uniform(row + 1, key[0], purpose, others)[row, 0])
        return self.drawn[key]

    def happens(self, name: str, steps: Steps, place: Place) -> bool:
        step = steps[name]
        failing = next((other for other in steps if steps[other].otherwise == name), None)
        if failing is not None and not self.fails(failing, steps, sibling(place, failing)):
            return False
        return step.chance is None or self.uniform("chance", place) < step.chance

    def branch(self, branches: Steps, place: Place) -> tuple[int, str]:
        u, low = self.uniform("chance", place, f"{place.path}/choice"), 0.0
        for position, name in enumerate(sorted(branches)):
            low += branches[name].chance or 0.0
            if u < low:
                return position, name
        raise AssertionError("the chances of the branches add up to 1")

    def count(self, step: Step, place: Place) -> tuple[int, int]:
        """Number of items, and the largest number that is drawn."""
        assert step.for_each is not None
        declared = step.for_each.count
        if not isinstance(declared, Estimate):
            number = self.workflow.count(declared)
            return number, number
        row, others = row_and_others(place)
        most = int(declared.quantile(0.999) + 0.5)
        drawn = draw_estimate(declared, self.samples, row + 1, place.path, "count", others)
        return min(int(drawn[row if len(drawn) > 1 else 0, 0]), most), most

    def made(self, step: Step, place: Place) -> Iterator[Place]:
        """The attempts that are made; the place itself without `retry`."""
        if step.retry is None:
            yield place
            return
        for number in range(self.workflow.count(step.retry.at_most)):
            attempt = place.within("attempts", number)
            yield attempt
            if not self.attempt_fails(step, attempt):
                return

    def attempt_fails(self, step: Step, attempt: Place) -> bool:
        assert step.retry is not None
        if step.retry.timeout is not None:
            assert not step.retry.wait.varies
            wait = step.retry.wait.scale if attempt.numbers[-1] else 0.0
            if self.seconds(attempt.path, attempt.numbers) - wait > step.retry.timeout - 1e-9:  # it was cut there
                return True
        return self.uniform("attempt", attempt) < step.retry.chance

    def rejected(self, step: Step, place: Place) -> bool:
        assert step.repeat is not None
        assert step.repeat.until is not None
        return self.uniform("accepted", place) >= step.repeat.until or self.copies_fail(step, place)

    def fails(self, name: str, steps: Steps, place: Place) -> bool:
        return self.happens(name, steps, place) and self.items_fail(steps[name], place)

    def items_fail(self, step: Step, place: Place) -> bool:
        if step.for_each is None:
            return self.rounds_fail(step, place)
        count, _ = self.count(step, place)
        return any(self.rounds_fail(step, place.within("items", number)) for number in range(count))

    def rounds_fail(self, step: Step, place: Place) -> bool:
        if step.repeat is None:
            return self.copies_fail(step, place)
        rounds = [place.within("rounds", number) for number in range(self.workflow.count(step.repeat.most))]
        if step.repeat.until is not None:
            return all(self.rejected(step, inside) for inside in rounds)
        return any(self.copies_fail(step, inside) for inside in rounds)

    def copies_fail(self, step: Step, place: Place) -> bool:
        """All copies of `best_of`. Of `first_of` a single copy decides, whichever ends first: the first in order."""
        if step.first_of is not None:
            return self.body_fails(step, place.within("copies", 0))
        if step.best_of is None:
            return self.body_fails(step, place)
        copies = range(self.workflow.count(step.best_of))
        return all(self.body_fails(step, place.within("copies", number)) for number in copies)

    def body_fails(self, step: Step, place: Place) -> bool:
        if step.success is not None and self.uniform("success", place) >= step.success:
            return True
        if step.retry is not None:
            return all(self.attempt_fails(step, attempt) for attempt in self.made(step, place))
        if step.choose is not None:
            position, name = self.branch(step.choose, place)
            return self.items_fail(step.choose[name], place.step(name, position))
        steps = step.steps or {}
        return any(self.fails(name, steps, place.step(name, 0)) for name in steps if steps[name].otherwise is None)


def sibling(place: Place, name: str) -> Place:
    return replace(place, path=".".join([*place.path.split(".")[:-1], name]))


def row_and_others(place: Place) -> tuple[int, tuple[int, ...]]:
    """The number of a draw in the innermost fan-out, else in the outermost copies, else 0; and its other numbers."""
    kinds = [kind for kind, _ in place.loops]
    if "items" in kinds:
        position = len(kinds) - 1 - kinds[::-1].index("items")
    elif "copies" in kinds:
        position = kinds.index("copies")
    else:
        return 0, place.numbers
    return place.numbers[position], (*place.numbers[:position], *place.numbers[position + 1 :])
