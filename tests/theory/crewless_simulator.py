"""An independent simulator of workflows without crews, written only from docs/reference/workflow.md and docs/model.md.

It follows the declared steps of a file, not the planner's task graph. From the planner it takes the durations of the
occurrences of each step in a sample, and the function that draws a uniform number for a key. SimPy keeps the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import simpy

from planner.engine import TICK, Samples
from planner.expansion.draw.estimates import draw_estimate
from planner.reading.estimates.estimate import Estimate
from planner.workflow import Workflow
from planner.workflow.declaration import Step

Steps = dict[str, Step]
Body = Generator[simpy.Event, Any, None]

SecondsOf = Callable[[str, tuple[int, ...]], float]
"""Seconds of an occurrence of a step with the wait before it, given the step's path and the numbers in the loops around."""


@dataclass(frozen=True)
class Place:
    """An occurrence of a step.

    loops : kind and number for each loop around it, outermost first
    order : place among all occurrences. Of those that wait for an agent since the same instant, the first gets it
    races : whether it may be cancelled
    served : whether an agent already makes its requests
    """

    path: str = ""
    loops: tuple[tuple[str, int], ...] = ()
    order: tuple[int, ...] = ()
    races: bool = False
    served: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(number for _, number in self.loops)

    def within(self, kind: str, number: int) -> Place:
        return replace(self, loops=(*self.loops, (kind, number)), order=(*self.order, number))

    def step(self, name: str, position: int) -> Place:
        return replace(self, path=f"{self.path}.{name}".lstrip("."), order=(*self.order, position))


class Slots:
    """Agents, or slots of LangGraph. They are given out when nothing else happens at an instant."""

    def __init__(self, env: simpy.Environment, count: int) -> None:
        self.env, self.free = env, count
        self.queue: list[tuple[float, tuple[int, ...], int, simpy.Event]] = []

    def holding(self, order: tuple[int, ...], body: Body) -> Body:
        """Run `body` with a slot."""
        granted = self.env.event()
        entry = (self.env.now, order, id(granted), granted)
        self.queue.append(entry)
        try:
            yield granted
            yield from body
        finally:
            if granted.triggered:
                self.free += 1
            else:
                self.queue.remove(entry)

    def give_out(self) -> bool:
        given = sorted(self.queue)[: self.free]
        for entry in given:
            self.queue.remove(entry)
            self.free -= 1
            entry[-1].succeed()
        return bool(given)


class SampleSimulation:
    """One sample of a workflow.

    sample : number of the sample, from 0
    agents : limit on requests and agent loops at a time; None: no limit
    """

    def __init__(
        self, workflow: Workflow, seconds: SecondsOf, seed: int, sample: int, agents: int | None = None
    ) -> None:
        self.workflow, self.seconds = workflow, seconds
        self.samples = Samples(seed, sample, sample + 1)
        self.env = simpy.Environment(0.0)
        self.supersteps = workflow.runtime == "langgraph"
        self.limit = None if workflow.max_concurrency is None else workflow.count(workflow.max_concurrency)
        self.lead = Slots(self.env, 1)
        self.agents = None if agents is None else Slots(self.env, agents)
        self.pools = [self.lead, *([self.agents] if self.agents else [])]
        self.spans: dict[tuple[str, str, tuple[int, ...]], tuple[float, float]] = {}
        self.decided: dict[tuple[str, str, tuple[int, ...]], float] = {}

    def run(self) -> float:
        """Return the completion time. `spans` then has the start and end of everything that takes time."""
        self.start(self.group(self.workflow.steps, Place()))
        last = 0.0
        while True:
            while self.env.peek() == self.env.now:
                self.env.step()
            if sum(pool.give_out() for pool in self.pools):
                continue
            last = max([last, *(end for _, end in self.spans.values())])
            if self.env.peek() == float("inf"):
                return last
            self.env.step()

    # Processes

    def start(self, body: Body) -> simpy.Process:
        def process() -> Body:
            with suppress(simpy.Interrupt):
                yield from body

        return self.env.process(process())

    def together(self, bodies: Iterable[Body]) -> Body:
        """Run all side by side, and wait for all."""
        processes = [self.start(body) for body in bodies]
        try:
            yield self.env.all_of(processes)
        finally:
            cancel(processes)

    def race(self, bodies: Iterable[Body]) -> Body:
        """Run all side by side, wait for the first, and cancel the others."""
        processes = [self.start(body) for body in bodies]
        try:
            yield self.env.any_of(processes)
        finally:
            cancel(processes)

    def sent(self, bodies: list[tuple[Place, Body]]) -> Body:
        """Run items or copies. On LangGraph they are the Sends of a graph, which has its own slots."""
        slots = self.slots_of_graph(len(bodies))
        yield from self.together(body if slots is None else slots.holding(place.order, body) for place, body in bodies)

    def slots_of_graph(self, widest: int) -> Slots | None:
        """Slots of a run of a graph, if its limit may delay one of `widest` nodes."""
        if not self.supersteps or self.limit is None or widest <= self.limit:
            return None
        self.pools.append(Slots(self.env, self.limit))
        return self.pools[-1]

    # Steps

    def group(self, steps: Steps, place: Place) -> Body:
        needed = {name: needs_of(name, steps) for name in steps}
        order = in_order(needed)
        if self.supersteps:
            level: dict[str, int] = {}
            for name in order:
                level[name] = 1 + max((level[need] for need in needed[name]), default=-1)
            levels = [
                sorted(name for name in order if level[name] == number) for number in range(max(level.values()) + 1)
            ]
            slots = self.slots_of_graph(max(map(len, levels)))
            order = [name for names in levels for name in names]
            for names in levels:
                places = {name: place.step(name, order.index(name)) for name in names}
                bodies = {name: self.step(name, steps, places[name]) for name in names}
                yield from self.together(
                    bodies[name] if slots is None else slots.holding(places[name].order, bodies[name]) for name in names
                )
            return
        processes: dict[str, simpy.Process] = {}

        def after_needs(name: str) -> Body:
            yield self.env.all_of([processes[need] for need in needed[name]])
            yield from self.step(name, steps, place.step(name, order.index(name)))

        try:
            for name in order:
                processes[name] = self.start(after_needs(name))
            yield self.env.all_of(processes.values())
        finally:
            cancel(processes.values())

    def step(self, name: str, steps: Steps, place: Place) -> Body:
        if self.happens(name, steps, place):
            yield from self.items(steps[name], place)

    def items(self, step: Step, place: Place) -> Body:
        if step.for_each is None:
            yield from self.rounds(step, place)
            return
        count, most = self.count(step, place)
        items = [place.within("items", number) for number in range(most)]
        yield from self.sent(
            [(item, self.rounds(step, item) if n < count else nothing()) for n, item in enumerate(items)]
        )

    def rounds(self, step: Step, place: Place) -> Body:
        if step.repeat is None:
            yield from self.copies(step, place)
            return
        for number in range(self.workflow.count(step.repeat.most)):
            inside = place.within("rounds", number)
            yield from self.copies(step, inside)
            if step.repeat.until is not None and not self.rejected(step, inside):
                return

    def copies(self, step: Step, place: Place) -> Body:
        declared = step.best_of or step.first_of
        if declared is None:
            yield from self.body(step, place)
            return
        agents = self.agents_for(step, place) if step.llm is not None else None
        raced = step.first_of is not None
        inside = replace(place, races=place.races or raced, served=place.served or agents is not None)
        copies = [inside.within("copies", number) for number in range(self.workflow.count(declared))]
        bodies = [(copy, self.body(step, copy)) for copy in copies]
        run = self.race(body for _, body in bodies) if raced else self.sent(bodies)
        yield from run if agents is None else agents.holding(place.order, run)

    def body(self, step: Step, place: Place) -> Body:
        if step.steps is not None:
            yield from self.group(step.steps, place)
        elif step.choose is not None:
            position, name = self.branch(step.choose, place)
            yield from self.items(step.choose[name], place.step(name, position))
        else:
            agents = self.agents_for(step, place)
            work = self.attempts(step, place)
            yield from work if agents is None else agents.holding(place.order, work)

    def agents_for(self, step: Step, place: Place) -> Slots | None:
        if place.served:
            return None
        if step.crew is not None:
            assert step.crew == "lead"
            return self.lead
        return self.agents if step.kind in ("llm", "agent") else None

    def attempts(self, step: Step, place: Place) -> Body:
        """Attempts and their waits, one after another. Times are whole ticks of the clock: attempts are rounded each by
        itself if they may be cancelled, else all together.
        """
        reached, before = 0.0, 0.0
        for occurrence in self.made(step, place):
            seconds = self.seconds(place.path, occurrence.numbers)
            reached += seconds
            end = before + in_ticks(seconds) if place.races else in_ticks(reached)
            start = self.env.now
            try:
                yield self.env.timeout(end - before)
            finally:
                if self.env.now > start:
                    self.spans[place.path, step.kind, occurrence.numbers] = (start, self.env.now)
            before = end

    # What is drawn. Nothing here depends on the clock.

    def uniform(self, purpose: str, place: Place, path: str = "") -> float:
        """A number between 0 and 1. Its row is the item of the innermost fan-out, else the outermost copy, else 0."""
        key = (path or place.path, purpose, place.numbers)
        if key not in self.decided:
            row, others = row_and_others(place)
            self.decided[key] = float(self.samples.uniform(row + 1, key[0], purpose, others)[row, 0])
        return self.decided[key]

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


def cancel(processes: Iterable[simpy.Process]) -> None:
    for process in processes:
        if process.is_alive:
            process.interrupt()


def nothing() -> Body:
    yield from ()


def in_ticks(seconds: float) -> float:
    return round(seconds / TICK) * TICK


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


def needs_of(name: str, steps: Steps) -> set[str]:
    """Steps that end before a step: those it needs and what is done if they fail; for a fallback, the failing step."""
    direct = {*steps[name].needs, *(other for other in steps if steps[other].otherwise == name)}
    needed = set(direct)
    for need in direct:
        fallback = steps[need].otherwise
        while fallback is not None and fallback != name:
            needed.add(fallback)
            fallback = steps[fallback].otherwise
    return needed


def in_order(needed: dict[str, set[str]]) -> list[str]:
    """Steps after those they need; of several that may come next, the first by name."""
    order: list[str] = []
    while len(order) < len(needed):
        order.append(min(name for name in needed if name not in order and needed[name] <= set(order)))
    return order
