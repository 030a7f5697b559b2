"""A wait for a person, in series with all other tasks. Its distribution is used to smooth percentiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import Graph, round_to_ticks
from planner.engine.smoothing import Smoothed, Waits
from planner.engine.statistics import KEPT, Values
from planner.expansion.draw.estimates import draw_estimate, estimate_quantiles
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.reading.estimates.estimate import Estimate
from planner.workflow.bodies import Wait

_SHARES = 1 / (1 + np.exp(-np.linspace(-18.0, 18.0, 4801)))
"""Shares at which a distribution is tabulated. They are dense near 0 and 1, so interpolation is accurate to 10⁻⁴."""


@dataclass(frozen=True)
class SeriesWait:
    """A wait for a person during which no other task can run. The wait does not affect the durations of other tasks.

    path : path in the key of the wait's random draws
    estimate : estimate of the duration
    """

    path: str
    estimate: Estimate

    @classmethod
    def of(cls, graph: TaskGraph) -> SeriesWait | None:
        """Return the wait for a person during which no other task of a graph can run; None if there is no such wait.

        If there are several such waits, return the wait with the highest p95.

        Also return None if caches may expire or people may walk away. Such events depend on the durations of tasks.
        """
        if len(graph.graph.since) or any(mark.subject.conversation is not None for mark in graph.works):
            return None
        waits = [
            cls(f"{mark.subject.step}/{mark.subject.kind}", mark.subject.body.time)
            for mark in graph.works
            if isinstance(mark.subject.body, Wait) and _once(mark.subject, mark.subject.body.time)
            and _in_series(graph.graph, int(mark.tasks.ravel()[0]))
        ]  # fmt: skip
        return max(waits, key=lambda wait: (wait.estimate.quantile(0.95), wait.path), default=None)

    def waits(self) -> Waits:
        """Return the distribution of the wait's duration. Nothing is drawn."""
        return Waits(_SHARES, estimate_quantiles(self.estimate, _SHARES))

    def drawn(self, samples: Samples) -> Floats:
        """Return an array with the duration of the wait in each sample, in seconds. Durations are rounded to ticks."""
        return round_to_ticks(draw_estimate(self.estimate, samples, 1, self.path, "time").ravel())

    def smoothed(self, seconds: Values, seed: int) -> Values:
        """Convert completion times to a `Smoothed`, which computes more accurate percentiles.

        If there are more than `KEPT` completion times, return them unchanged.

        seconds : completion times of the samples from number 0 on
        """
        if seconds.count > KEPT:
            return seconds
        waits = self.waits()
        waits.add(self.drawn(Samples(seed, 0, seconds.count)))
        smoothed = Smoothed(waits)
        smoothed.add(seconds.first)
        return smoothed


def _once(work: Work, estimate: Estimate) -> bool:
    """Whether a wait occurs exactly once in every sample, and its duration has a continuous distribution."""
    always = not work.loops and work.guard is None and work.retry is None
    return always and estimate.varies and estimate.shape != "empirical"


def _in_series(graph: Graph, task: int) -> bool:
    """Whether no other task can run at the same time as `task`, because of the edges of the graph.

    Every edge must lead to a higher number; otherwise the function returns False. Then two conditions are enough:

    - Each task with a lower number than `task` has an edge to `task`, or to a number in between. So a path leads from
      it to `task`.
    - Each task with a higher number than `task` has an edge from `task`, or from a number in between. So a path leads
      from `task` to it.
    """
    sources, targets = np.repeat(np.arange(len(graph)), np.diff(graph.successor_start)), graph.successors
    leads_to_it, follows_it = np.zeros(len(graph), bool), np.zeros(len(graph), bool)
    leads_to_it[sources[targets <= task]] = True
    follows_it[targets[sources >= task]] = True
    return bool((targets > sources).all() and leads_to_it[:task].all() and follows_it[task + 1 :].all())
