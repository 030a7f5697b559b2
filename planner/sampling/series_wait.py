"""A wait for a person that is in series with all other tasks, so that percentiles can be smoothed over it."""

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
"""Shares at which a distribution is tabulated, dense at both ends. Interpolated waits are within 10⁻⁴."""


@dataclass(frozen=True)
class SeriesWait:
    """A wait before or after every other task, on whose duration no other task depends."""

    path: str
    estimate: Estimate

    @classmethod
    def of(cls, graph: TaskGraph) -> SeriesWait | None:
        """Return the widest one of a graph, or None.

        Caches that expire and people who walk away depend on durations, so graphs with these have none.
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
        """Return its distribution, without any draws."""
        return Waits(_SHARES, estimate_quantiles(self.estimate, _SHARES))

    def drawn(self, samples: Samples) -> Floats:
        """Return its (S,) durations in seconds, rounded to ticks."""
        return round_to_ticks(draw_estimate(self.estimate, samples, 1, self.path, "time").ravel())

    def smoothed(self, seconds: Values, seed: int) -> Values:
        """Return completion times with the percentiles of `Smoothed`. They must start at sample 0."""
        if seconds.count > KEPT:
            return seconds
        waits = self.waits()
        waits.add(self.drawn(Samples(seed, 0, seconds.count)))
        smoothed = Smoothed(waits)
        smoothed.add(seconds.first)
        return smoothed


def _once(work: Work, estimate: Estimate) -> bool:
    """Whether a wait occurs once in every sample and has a continuous distribution."""
    always = not work.loops and work.guard is None and work.retry is None
    return always and estimate.varies and estimate.shape != "empirical"


def _in_series(graph: Graph, task: int) -> bool:
    """Whether every other task is a predecessor or a successor of `task`. All edges must lead to higher ids.

    That holds if every lower task has a successor up to `task`, and every higher task a predecessor from `task` on.
    """
    sources, targets = np.repeat(np.arange(len(graph)), np.diff(graph.successor_start)), graph.successors
    leads_to_it, follows_it = np.zeros(len(graph), bool), np.zeros(len(graph), bool)
    leads_to_it[sources[targets <= task]] = True
    follows_it[targets[sources >= task]] = True
    return bool((targets > sources).all() and leads_to_it[:task].all() and follows_it[task + 1 :].all())
