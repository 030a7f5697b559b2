"""Drag (Devaux): the time by which the p50 falls if a step takes no time, or if a crew or a queue is unbounded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import round_to_ticks, simulate
from planner.engine.statistics import medians
from planner.timing.durations import SKIPPED, length
from planner.timing.pipeline import ScheduledSamples

RESAMPLES = 64
"""Number of bootstrap samples from which the standard error of a drag is estimated."""


@dataclass(frozen=True)
class Drag:
    """The time by which the p50 of the completion time falls without something that delays it.

    A drag is at most the p50. It can be negative (Graham's anomalies).

    seconds : p50 of the samples, minus p50 of the same samples without the cause of the delay
    standard_error : standard error of `seconds`, by a bootstrap over samples; 0 for a single sample
    low, high : ends of the 95% interval of `seconds`, by the same bootstrap. Few samples make it wide and lopsided, so
        it decides what is significant
    """

    seconds: float
    standard_error: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the 95% interval is on one side of 0."""
        return self.low > 0 or self.high < 0

    @classmethod
    def each(cls, whole: Floats, without: Floats) -> list[Drag]:
        """Return the drag of each of n things.

        whole : (S,) completion times of S samples
        without : (n, S) completion times of the same samples without each of the things
        """
        count = len(whole)
        drags = medians(whole) - medians(without)
        chosen = Samples(1, 0, RESAMPLES * count).uniform(1, "drag", "resample").reshape(RESAMPLES, count)
        rows = np.minimum((chosen * count).astype(int), count - 1)
        again = medians(whole[rows])
        return [
            cls(drag, *_errors(again - medians(times[rows])) if (times != whole).any() else (0.0, drag, drag))
            for drag, times in zip(drags.tolist(), without, strict=True)
        ]


def _errors(drags: Floats) -> tuple[float, float, float]:
    """Return the standard error and the ends of the 95% interval from the drags of all bootstrap samples."""
    ordered, beyond = np.sort(drags), RESAMPLES // 40
    return float(np.std(drags, ddof=1)), float(ordered[beyond]), float(ordered[-1 - beyond])


def exact_durations(run: ScheduledSamples) -> Floats:
    """Return the durations of all tasks before rounding, in seconds: an array (S, n) for S samples and n tasks."""
    times, rows = run.times, run.rows
    exact = (times.fixed[:, :, rows].sum(0) + times.decode[:, :, rows].sum(0) / run.speed).T
    return np.ascontiguousarray(exact)


def without_step(run: ScheduledSamples, works: Collection[int], exact: Floats) -> Floats:
    """Return the completion times of S samples if a step took no time: an array (S,), in seconds.

    Attempts, cache hits and rework stay the same. If a person does the step, the time during which the person is away
    is left out too. Samples are scheduled again if any of their tasks becomes shorter, also off the critical path.

    works : indices of the step's pieces of work in the graph
    exact : result of `exact_durations`
    """
    times, graph, durations = run.times, run.kernel_graph, run.durations
    shorter, away = exact.copy(), times.away[run.rows]
    for number in works:
        totals = times.works[number]
        for occurrence in totals.occurrences:
            seconds = np.broadcast_to(occurrence.seconds(run.speed), (length(occurrence.tasks), times.samples))
            shorter[:, occurrence.tasks] -= seconds[:, run.rows].T
            if totals.work.kind == "human" and away.size:
                leaving = graph.leave[occurrence.tasks]
                away = away.copy()
                away[:, leaving[leaving >= 0]] = 0.0
    round_to_ticks(np.maximum(shorter, 0.0, out=shorter))
    shorter[durations < 0] = SKIPPED
    changed = (shorter != durations).any(1) | (away != times.away[run.rows]).any(1)
    completed = run.seconds.copy()
    if changed.any():
        patience = times.patience[run.rows][changed]
        completed[changed] = simulate(graph, shorter[changed], patience=patience, away=away[changed]).makespan
    return completed


def without_limit(run: ScheduledSamples, pools: Collection[int]) -> Floats:
    """Return the completion times of S samples if some pools were unbounded: an array (S,), in seconds.

    pools : indices of the pools in the graph
    """
    graph = run.kernel_graph
    users = np.bincount(graph.acquire[graph.acquire >= 0], minlength=len(graph.capacity))
    short = [pool for pool in pools if users[pool] > graph.capacity[pool]]
    if not short:  # no task ever waits for a slot
        return run.seconds
    capacity = graph.capacity.copy()
    capacity[short] = len(graph)
    patience, away = run.times.patience[run.rows], run.times.away[run.rows]
    return simulate(graph.with_capacity(capacity), run.durations, patience=patience, away=away).makespan
