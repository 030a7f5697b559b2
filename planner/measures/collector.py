"""What a forecast finds beyond the end of one scenario: the critical path, what drags, and who is busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.engine.simulation import Graph, Schedule
from planner.expansion.graph.task_graph import TaskGraph
from planner.measures.critical_path import Detail
from planner.measures.drag import Drag
from planner.measures.utilisation import Usage
from planner.timing.durations import TaskTimes


class DetailCollector:
    """Sums of whole numbers, filled block by block in any order."""

    def __init__(self, expanded: TaskGraph, models: Mapping[str, Profile]) -> None:
        """`models`: as they are paid."""
        self.expanded = expanded
        self.detail = Detail(expanded.works, models)
        self.drag = Drag(len(expanded.graph), self.detail.rows, len(self.detail.works))
        self.usage = Usage(expanded.graph, expanded.pools)

    def plus(self, other: DetailCollector) -> None:
        """Add the samples of another, of the same graph."""
        self.detail.plus(other.detail)
        self.drag.plus(other.drag)
        self.usage.plus(other.usage)

    def add(
        self, times: TaskTimes, speed: float, graph: Graph, schedule: Schedule, part: slice, first: int,
        durations: Floats, billed: Sequence[Floats],
    ) -> Floats:  # fmt: skip
        """Add the samples `part` of a slice; returns their seconds of coordination on the critical path.

        first : number of the first of them among all samples, from 0
        durations, billed : as for `Detail.add`
        """
        self.usage.add(graph, durations, schedule)
        self.drag.add(times, speed, graph, schedule, part, first, durations)
        return self.detail.add(times, speed, schedule, part, durations, billed)
