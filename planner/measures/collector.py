"""Scheduled samples of one scenario in; its critical path, drag and utilisation out."""

from __future__ import annotations

from collections.abc import Mapping

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.expansion.graph.task_graph import TaskGraph
from planner.measures.critical_path import Detail
from planner.measures.drag import Drag
from planner.measures.utilisation import Usage
from planner.timing.pipeline import ScheduledSamples


class DetailCollector:
    """Exact sums over samples. Samples may be added in any order."""

    def __init__(self, expanded: TaskGraph, models: Mapping[str, Profile]) -> None:
        """`models` have the prices of the scenario."""
        self.expanded = expanded
        self.detail = Detail(expanded.works, models)
        self.drag = Drag(len(expanded.graph), self.detail.step_numbers, len(self.detail.works))
        self.usage = Usage(expanded.graph, expanded.pools)

    def plus(self, other: DetailCollector) -> None:
        """Add the samples of another collector of the same graph."""
        self.detail.plus(other.detail)
        self.drag.plus(other.drag)
        self.usage.plus(other.usage)

    def add(self, run: ScheduledSamples, first: int) -> Floats:
        """Add samples, and return their (S,) seconds of coordination on the critical path.

        run : traced, recorded, and drawn in detail
        first : number of its first sample, from 0
        """
        self.usage.add(run.kernel_graph, run.durations, run.schedule)
        self.drag.add(run, first)
        return self.detail.add(run)
