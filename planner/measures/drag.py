"""Drag (Devaux): the time by which the workflow would end sooner if a step took no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.moments import Mean, Moments
from planner.engine.simulation import TICK, round_to_ticks, simulate
from planner.timing.durations import SKIPPED, OccurrenceTimes, TaskTimes, length
from planner.timing.pipeline import ScheduledSamples

LEAST = 16
"""Fewest samples to use, even for a large graph. If the forecast has fewer samples, all of them are used."""

BUDGET = 16_000_000
"""Most tasks × steps × samples to schedule, which takes a few seconds. `LEAST` samples may exceed it."""


def enough(tasks: int, steps: int) -> int:
    """Return the number of samples that are used to compute the drag of all steps. It is a power of two.

    tasks, steps : number of tasks and number of steps in the graph
    """
    return max(LEAST, 1 << (BUDGET // (tasks * steps)).bit_length() >> 1)


class Drag:
    """Drag of each step: the time by which the workflow would end sooner if the step took no time.

    Drag is computed for the first samples of a forecast. For each step, each sample is scheduled again without the
    seconds of the step. Attempts, cache hits and rework stay the same. If a person does the step, the time during which
    the person is away is left out too.

    Drag can be negative, and a step off the critical path can have drag. The reason is that shorter tasks can change
    the order in which tasks get agents (Graham's anomalies).

    of : index of the step of each piece of work in the graph
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
        """Add consecutive samples. Samples whose number is at least `limit` are ignored. Numbers start at 0.

        first : number of the first sample in `run`
        """
        assert isinstance(run.rows, slice)
        count = min(len(run.durations), self.limit - first)
        if count <= 0:
            return
        rows, times = slice(run.rows.start, run.rows.start + count), run.times
        exact = (times.fixed[:, :, rows].sum(0) + times.decode[:, :, rows].sum(0) / run.speed).T
        for step, moments in enumerate(self.moments):
            moments.add(self._lost(step, run, rows, exact))

    def _lost(self, step: int, run: ScheduledSamples, rows: slice, exact: Floats) -> Floats:
        """Return an array (S,): the drag of a step in each of S samples, in seconds.

        rows : the S samples, as a slice of all samples in `run.times`
        exact : array (S, n) for n tasks: durations before rounding, in seconds
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
