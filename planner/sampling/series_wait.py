"""A person's wait that the whole workflow passes through: where there is one, and what it takes."""

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
"""Where a distribution is read; in between it is linear: waits are right to 10⁻⁴. Dense at both ends."""


@dataclass(frozen=True)
class SeriesWait:
    """A wait that comes before or after every other task, and that no other depends on."""

    path: str
    estimate: Estimate

    @classmethod
    def of(cls, graph: TaskGraph) -> SeriesWait | None:
        """The widest of a graph, if it has any.

        Nothing else may depend on how long it is: no cache that expires meanwhile, nobody who walks away.
        """
        if len(graph.graph.since) or any(mark.subject.conversation is not None for mark in graph.works):
            return None
        found = [
            cls(f"{mark.subject.step}/{mark.subject.kind}", mark.subject.body.time)
            for mark in graph.works
            if isinstance(mark.subject.body, Wait) and _once(mark.subject, mark.subject.body.time)
            and _in_series(graph.graph, int(mark.tasks.ravel()[0]))
        ]  # fmt: skip
        return max(found, key=lambda one: (one.estimate.quantile(0.95), one.path), default=None)

    def waits(self) -> Waits:
        """Its distribution, with nothing drawn yet."""
        return Waits(_SHARES, estimate_quantiles(self.estimate, _SHARES))

    def drawn(self, samples: Samples) -> Floats:
        """(S,) seconds that it takes in each sample, in ticks."""
        return round_to_ticks(draw_estimate(self.estimate, samples, 1, self.path, "time").ravel())

    def smoothed(self, seconds: Values, seed: int) -> Values:
        """The completion times of so many samples from the first, with the percentiles of `Smoothed`."""
        if seconds.count > KEPT:
            return seconds
        waits = self.waits()
        waits.add(self.drawn(Samples(seed, 0, seconds.count)))
        found = Smoothed(waits)
        found.add(seconds.first)
        return found


def _once(work: Work, estimate: Estimate) -> bool:
    """Whether it occurs once in every sample, with a continuous distribution."""
    always = not work.loops and work.guard is None and work.retry is None
    return always and estimate.varies and estimate.shape != "empirical"


def _in_series(graph: Graph, task: int) -> bool:
    """Whether all earlier tasks come before a task and all later ones after it, where edges lead from low to high ids.

    It is so if every earlier task leads to one that is not after it, and every later one comes from one not before it.
    """
    sources, targets = np.repeat(np.arange(len(graph)), np.diff(graph.successor_start)), graph.successors
    leads, comes = np.zeros(len(graph), bool), np.zeros(len(graph), bool)
    leads[sources[targets <= task]] = True
    comes[targets[sources >= task]] = True
    return bool((targets > sources).all() and leads[:task].all() and comes[task + 1 :].all())
