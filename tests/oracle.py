"""An independent scheduler to test the kernel, written only from docs/model.md, "Scheduling". It runs one sample.

SimPy keeps the clock: each running task is a process, which reports when its time is over. Events at one instant are
ordered here, because SimPy orders equal times by insertion.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence

import simpy

from planner.engine import Graph


def simulate(graph: Graph, durations: Sequence[float], patience: Sequence[float] | None = None,
             away: Sequence[float] | None = None) -> tuple[list[float], list[float], float]:  # fmt: skip
    """Return starts, ends (NaN if never) and the makespan: the end of the last task that was not cancelled.

    Raises ValueError if a task can never start.
    """
    rows = len(graph.since)
    sample = Sample(graph, durations, patience or [0.0] * rows, away or [0.0] * rows)
    sample.run()
    return sample.start, sample.end, sample.makespan


class Sample:
    """The state of one simulated run."""

    def __init__(
        self, graph: Graph, durations: Sequence[float], patience: Sequence[float], away: Sequence[float]
    ) -> None:
        n = len(graph)
        self.env = simpy.Environment(0.0)
        self.durations, self.patience, self.away = list(map(float, durations)), patience, away
        bounds: list[int] = graph.successor_start.tolist()
        successors: list[int] = graph.successors.tolist()
        self.successors = [successors[bounds[task] : bounds[task + 1]] for task in range(n)]
        self.acquire: list[int] = graph.acquire.tolist()
        self.release: list[int] = graph.release.tolist()
        self.race: list[int] = graph.race.tolist()
        self.leave: list[int] = graph.leave.tolist()
        self.since: list[int] = graph.since.tolist()
        self.copy_of_exit = {task: range(graph.copy_lo[task], task + 1) for task in range(n) if self.race[task] >= 0}

        self.missing: list[int] = graph.in_degree.tolist()
        self.free: list[int] = graph.capacity.tolist()
        self.queues: list[set[tuple[float, int]]] = [set() for _ in self.free]  # of (ready time, id)
        self.ending_now: set[int] = set()  # running tasks whose time is over
        self.ended: set[int] = set()
        self.cancelled: set[int] = set()
        self.slots: list[Counter[int]] = [Counter() for _ in range(n)]  # seized minus released slots, by task and pool
        self.start = [math.nan] * n
        self.end = [math.nan] * n
        self.makespan = 0.0

    def run(self) -> None:
        for task, predecessors in enumerate(self.missing):
            if predecessors == 0:
                self.become_ready(task)
        while True:
            while self.env.peek() == self.env.now:  # let all whose time is over at this instant report
                self.env.step()
            if self.ending_now:
                self.finish(min(self.ending_now))
            elif not self.dispatch():
                if self.env.peek() == math.inf:
                    break
                self.env.step()  # time advances
        if len(self.ended | self.cancelled) < len(self.start):
            raise ValueError("some tasks never start")

    def is_skipped(self, task: int) -> bool:
        return self.durations[task] < 0

    def become_ready(self, task: int) -> None:
        if self.is_skipped(task) or self.acquire[task] < 0:
            self.begin(task)
        else:
            self.queues[self.acquire[task]].add((self.env.now, task))

    def begin(self, task: int) -> None:
        self.start[task] = self.env.now
        if self.is_skipped(task):
            self.env.process(self.work(task, 0.0))
            return
        if self.acquire[task] >= 0:
            self.free[self.acquire[task]] -= 1
            self.slots[task][self.acquire[task]] += 1
        self.env.process(self.work(task, self.durations[task] + self.absence(task)))

    def absence(self, task: int) -> float:
        """Seconds added to a task that starts now, if the person who waits for it has left meanwhile."""
        row = self.leave[task]
        if row < 0 or math.isnan(self.end[self.since[row]]):
            return 0.0
        waited = self.env.now - self.end[self.since[row]]
        return self.away[row] if waited > self.patience[row] else 0.0

    def work(self, task: int, duration: float) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(duration)
        if task not in self.cancelled:
            self.ending_now.add(task)

    def finish(self, task: int) -> None:
        self.ending_now.remove(task)
        self.ended.add(task)
        self.end[task] = self.makespan = self.env.now
        if self.release[task] >= 0 and not self.is_skipped(task):
            self.free[self.release[task]] += 1
            self.slots[task][self.release[task]] -= 1
        if task in self.copy_of_exit:  # the first of its race: the losers are cancelled and never end
            for rival, copy in self.copy_of_exit.items():
                if self.race[rival] == self.race[task] and rival != task:
                    for loser in copy:
                        self.cancel(loser)
        for successor in self.successors[task]:
            self.missing[successor] -= 1
            if self.missing[successor] == 0 and successor not in self.cancelled:
                self.become_ready(successor)

    def cancel(self, task: int) -> None:
        self.cancelled.add(task)
        self.ending_now.discard(task)
        if not math.isnan(self.start[task]) and math.isnan(self.end[task]):
            self.end[task] = self.env.now
        for pool, slots in self.slots[task].items():
            self.free[pool] += slots
        self.slots[task].clear()
        for queue in self.queues:
            queue.difference_update([waiting for waiting in queue if waiting[1] == task])

    def dispatch(self) -> bool:
        """Give free slots to waiting tasks; return whether one got a slot."""
        dispatched = False
        for pool, queue in enumerate(self.queues):
            for ready_time, task in sorted(queue)[: max(self.free[pool], 0)]:
                queue.remove((ready_time, task))
                self.begin(task)
                dispatched = True
        return dispatched


class Metered(list[int]):
    """Free slots of the oracle, which add up how long each pool's are taken."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample.free)
        self.sample, self.capacity = sample, list(sample.free)
        self.held, self.since = [0.0] * len(self), [0.0] * len(self)

    def __setitem__(self, pool, value) -> None:  # type: ignore[no-untyped-def]
        now = self.sample.env.now
        self.held[pool] += (self.capacity[pool] - self[pool]) * (now - self.since[pool])
        self.since[pool] = now
        super().__setitem__(pool, value)
