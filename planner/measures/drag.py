"""Drag (Devaux): by how much the workflow would end sooner if a step took no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, round_to_ticks, simulate
from planner.measures.moments import Mean, Moments
from planner.timing.durations import SKIPPED, OccurrenceTimes, TaskTimes, length
from planner.timing.pipeline import ScheduledSamples

LEAST = 16
"""Samples that are used however large the graph is, if there are as many."""

BUDGET = 16_000_000
"""Most task-samples to schedule, unless `LEAST` samples need more: a few seconds."""


def enough(tasks: int, steps: int) -> int:
    """Return how many samples to use for a graph of that size: a power of two."""
    return max(LEAST, 1 << (BUDGET // (tasks * steps)).bit_length() >> 1)


class Drag:
    """Sums over the first samples of the drag of each step. Each sample is scheduled again without the step's seconds.

    of : the step of each work
    limit : how many samples are used

    Draws do not change: neither the number of attempts, nor cache hits, nor rework. A person whose step takes no time
    is not away either. A step off the critical path can have drag, even a negative one, because tasks may then get
    agents in another order (Graham's anomalies). So a sample is scheduled again if any task becomes shorter; otherwise
    its drag is 0.
    """

    def __init__(self, tasks: int, of: Sequence[int], steps: int) -> None:
        self.of = of
        self.limit = enough(tasks, steps)
        self.moments = [Moments(TICK) for _ in range(steps)]

    def plus(self, other: Drag) -> None:
        """Add the samples of another, of the same graph."""
        for mine, others in zip(self.moments, other.moments, strict=True):
            mine.plus(others)

    def means(self) -> list[Mean]:
        """Seconds of each step."""
        return [moments.mean() for moments in self.moments]

    def add(self, run: ScheduledSamples, first: int) -> None:
        """Add consecutive samples. `first` is the number of the first of them, from 0."""
        assert isinstance(run.rows, slice)
        count = min(len(run.durations), self.limit - first)
        if count <= 0:
            return
        rows, times = slice(run.rows.start, run.rows.start + count), run.times
        exact = (times.fixed[:, :, rows].sum(0) + times.decode[:, :, rows].sum(0) / run.speed).T
        for step, moments in enumerate(self.moments):
            moments.add(self._lost(step, run, rows, exact))

    def _lost(self, step: int, run: ScheduledSamples, rows: slice, exact: Floats) -> Floats:
        """Return (S,) seconds of drag of a step. `exact` are (S, n) durations before rounding."""
        times, graph, durations = run.times, run.kernel_graph, run.durations[: len(exact)]
        shorter, away = np.ascontiguousarray(exact), times.away[rows]
        if shorter is exact or np.shares_memory(shorter, exact):
            shorter = exact.copy()
        for occurrence, by_person in self._occurrences(step, times):
            seconds = np.broadcast_to(occurrence.seconds(run.speed), (length(occurrence.tasks), times.samples))
            shorter[:, occurrence.tasks] -= seconds[:, rows].T
            if by_person and away.size:
                leaving = graph.leave[occurrence.tasks]
                away = away.copy()
                away[:, leaving[leaving >= 0]] = 0.0
        round_to_ticks(np.maximum(shorter, 0.0, out=shorter))
        shorter[durations < 0] = SKIPPED
        changed = (shorter != durations).any(1) | (away != times.away[rows]).any(1)
        lost = np.zeros(len(durations))
        if changed.any():
            without = simulate(graph, shorter[changed], patience=times.patience[rows][changed], away=away[changed])
            lost[changed] = run.schedule.makespan[: len(durations)][changed] - without.makespan
        return lost

    def _occurrences(self, step: int, times: TaskTimes) -> Iterator[tuple[OccurrenceTimes, bool]]:
        """Yield the occurrences of a step, and whether a person does them."""
        for number, totals in zip(self.of, times.works, strict=True):
            if number == step:
                for occurrence in totals.occurrences:
                    yield occurrence, totals.work.kind == "human"
