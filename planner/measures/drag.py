"""Drag (Devaux): the time by which the workflow would end sooner if a step took no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, round_to_ticks, simulate
from planner.measures.moments import Mean, Moments
from planner.timing.durations import SKIPPED, OccurrenceTimes, TaskTimes, length
from planner.timing.pipeline import ScheduledSamples

LEAST = 16
"""Fewest samples to use, even for a large graph, unless the forecast has fewer."""

BUDGET = 16_000_000
"""Most tasks × steps × samples to schedule, which takes a few seconds. `LEAST` samples may exceed it."""


def enough(tasks: int, steps: int) -> int:
    """Return the number of samples to use for a graph with these numbers of tasks and steps: a power of two."""
    return max(LEAST, 1 << (BUDGET // (tasks * steps)).bit_length() >> 1)


class Drag:
    """Sums of the drag of each step over the first samples of a forecast.

    For each step, each sample is scheduled again without the seconds of that step. Draws do not change, so attempts,
    cache hits and rework stay the same. A person whose step takes no time is not away either.

    A step off the critical path can have drag, and drag can be negative. The reason is that shorter tasks can change
    the order in which tasks get agents (Graham's anomalies). So a sample is scheduled again if any task becomes
    shorter. If no task does, the drag is 0.

    of : for each work of the graph, the index of its step
    limit : number of samples to use
    """

    def __init__(self, tasks: int, of: Sequence[int], steps: int) -> None:
        self.of = of
        self.limit = enough(tasks, steps)
        self.moments = [Moments(TICK) for _ in range(steps)]

    def plus(self, other: Drag) -> None:
        """Add the samples of another `Drag` of the same graph."""
        for mine, others in zip(self.moments, other.moments, strict=True):
            mine.plus(others)

    def means(self) -> list[Mean]:
        """Return the mean drag of each step, in seconds."""
        return [moments.mean() for moments in self.moments]

    def add(self, run: ScheduledSamples, first: int) -> None:
        """Add consecutive samples, and ignore those beyond `limit`. `first` is the number of the first one, from 0."""
        assert isinstance(run.rows, slice)
        count = min(len(run.durations), self.limit - first)
        if count <= 0:
            return
        rows, times = slice(run.rows.start, run.rows.start + count), run.times
        exact = (times.fixed[:, :, rows].sum(0) + times.decode[:, :, rows].sum(0) / run.speed).T
        for step, moments in enumerate(self.moments):
            moments.add(self._lost(step, run, rows, exact))

    def _lost(self, step: int, run: ScheduledSamples, rows: slice, exact: Floats) -> Floats:
        """Return the drag of a step in each sample, (S,) seconds.

        exact : durations in seconds before rounding, (S, n): samples × tasks
        """
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
        """Yield each occurrence of a step, and whether a person does it."""
        for number, totals in zip(self.of, times.works, strict=True):
            if number == step:
                for occurrence in totals.occurrences:
                    yield occurrence, totals.work.kind == "human"
