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
    """A wait for a person. Every other task runs before it or after it, and does not depend on its duration.

    path : path of its draws
    """

    path: str
    estimate: Estimate

    @classmethod
    def of(cls, graph: TaskGraph) -> SeriesWait | None:
        """Return the wait that is in series with all other tasks of a graph; None if there is none.

        If there are several, return the one with the highest p95. A graph has none if it has caches that expire or
        people who walk away, because both depend on durations.
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
        """Return the distribution of the wait, without any draws."""
        return Waits(_SHARES, estimate_quantiles(self.estimate, _SHARES))

    def drawn(self, samples: Samples) -> Floats:
        """Return the duration of the wait in each of S samples, (S,) seconds rounded to ticks."""
        return round_to_ticks(draw_estimate(self.estimate, samples, 1, self.path, "time").ravel())

    def smoothed(self, seconds: Values, seed: int) -> Values:
        """Return the same completion times with the percentiles of `Smoothed`.

        `seconds` must start at sample 0. Over `KEPT` samples, `seconds` is returned unchanged.
        """
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
    """Whether every other task must end before `task`, or can only start after `task`.

    Return False unless all edges lead to higher numbers. Then two checks are enough, by induction. Each task below
    `task` must have an edge to a task that is not above `task`. Each task above `task` must have an edge from a task
    that is not below `task`.
    """
    sources, targets = np.repeat(np.arange(len(graph)), np.diff(graph.successor_start)), graph.successors
    leads_to_it, follows_it = np.zeros(len(graph), bool), np.zeros(len(graph), bool)
    leads_to_it[sources[targets <= task]] = True
    follows_it[targets[sources >= task]] = True
    return bool((targets > sources).all() and leads_to_it[:task].all() and follows_it[task + 1 :].all())
