"""An independent simulator of workflows without crews, written only from docs/reference/workflow.md and docs/model.md.

It follows the declared steps of a file, not the planner's task graph. SimPy keeps the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any

import simpy

from planner.engine import TICK
from planner.workflow import Workflow
from planner.workflow.declaration import Step
from tests.theory.crewless_decisions import Decisions, Place, SecondsOf, Steps

Body = Generator[simpy.Event, Any, None]


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
        self.decisions = Decisions(workflow, seconds, seed, sample)
        self.env = simpy.Environment(0.0)
        self.supersteps = workflow.runtime == "langgraph"
        self.limit = None if workflow.max_concurrency is None else workflow.count(workflow.max_concurrency)
        self.lead = Slots(self.env, 1)
        self.agents = None if agents is None else Slots(self.env, agents)
        self.pools = [self.lead, *([self.agents] if self.agents else [])]
        self.spans: dict[tuple[str, str, tuple[int, ...]], tuple[float, float]] = {}

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
        yield from self.graph(steps, place, needed) if self.supersteps else self.flow(steps, place, needed)

    def flow(self, steps: Steps, place: Place, needed: dict[str, set[str]]) -> Body:
        """Start each step when the steps that it needs have ended."""
        processes: dict[str, simpy.Process] = {}

        def after_needs(name: str, position: int) -> Body:
            yield self.env.all_of([processes[need] for need in needed[name]])
            yield from self.step(name, steps, place.step(name, position))

        try:
            for position, name in enumerate(in_order(needed)):
                processes[name] = self.start(after_needs(name, position))
            yield self.env.all_of(processes.values())
        finally:
            cancel(processes.values())

    def graph(self, steps: Steps, place: Place, needed: dict[str, set[str]]) -> Body:
        """Run the supersteps of a graph, one after another. A skipped step is a node too."""
        level: dict[str, int] = {}
        for name in in_order(needed):
            level[name] = 1 + max((level[need] for need in needed[name]), default=-1)
        order = sorted(steps, key=lambda name: (level[name], name))
        slots = self.slots_of_graph(max(Counter(level.values()).values()))
        for _, names in groupby(order, level.__getitem__):
            places = {name: place.step(name, order.index(name)) for name in names}
            bodies = {name: self.step(name, steps, inside) for name, inside in places.items()}
            yield from self.together(
                body if slots is None else slots.holding(places[name].order, body) for name, body in bodies.items()
            )

    # What is skipped does nothing in no time, but passes through the slots of its graphs: see `Place.done`.

    def step(self, name: str, steps: Steps, place: Place) -> Body:
        yield from self.items(steps[name], place.if_(place.done and self.decisions.happens(name, steps, place)))

    def items(self, step: Step, place: Place) -> Body:
        if step.for_each is None:
            yield from self.rounds(step, place)
            return
        count, most = self.decisions.count(step, place)
        items = [place.within("items", number).if_(place.done and number < count) for number in range(most)]
        yield from self.sent([(item, self.rounds(step, item)) for item in items])

    def rounds(self, step: Step, place: Place) -> Body:
        if step.repeat is None:
            yield from self.copies(step, place)
            return
        done = place.done
        for number in range(self.workflow.count(step.repeat.most)):
            inside = place.within("rounds", number).if_(done)
            yield from self.copies(step, inside)
            done = done and (step.repeat.until is None or self.decisions.rejected(step, inside))

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
            chosen = self.decisions.branch(step.choose, place)[1] if place.done else None
            yield from self.together(
                self.items(step.choose[name], place.step(name, position).if_(name == chosen))
                for position, name in enumerate(sorted(step.choose))
            )
        elif place.done:
            agents = self.agents_for(step, place)
            work = self.attempts(step, place, together=agents is not None and not place.races)
            yield from work if agents is None else agents.holding(place.order, work)

    def agents_for(self, step: Step, place: Place) -> Slots | None:
        if place.served or not place.done:
            return None
        if step.crew is not None:
            assert step.crew == "lead"
            return self.lead
        return self.agents if step.kind in ("llm", "agent") else None

    def attempts(self, step: Step, place: Place, together: bool) -> Body:
        """Attempts and their waits, one after another.

        together : whether they are one task, whose whole duration is rounded to ticks of the clock; else each is
        """
        reached, before = 0.0, 0.0
        for occurrence in self.decisions.made(step, place):
            seconds = self.seconds(place.path, occurrence.numbers)
            reached += seconds
            end = in_ticks(reached) if together else before + in_ticks(seconds)
            start = self.env.now
            try:
                yield self.env.timeout(end - before)
            finally:
                if self.env.now > start:
                    self.spans[place.path, step.kind, occurrence.numbers] = (start, self.env.now)
            before = end


def cancel(processes: Iterable[simpy.Process]) -> None:
    for process in processes:
        if process.is_alive:
            process.interrupt()


def in_ticks(seconds: float) -> float:
    return round(seconds / TICK) * TICK


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
    """Steps after those they need; of several that may come next, the first in the file."""
    order: list[str] = []
    while len(order) < len(needed):
        order.append(next(name for name in needed if name not in order and needed[name] <= set(order)))
    return order
