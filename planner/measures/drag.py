"""Drag: what completion would lose if a step took no time, found by simulating again without its seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import (
    TICK,
    Graph,
    Schedule,
    round_to_ticks,
    simulate,
)
from planner.measures.moments import Mean, Moments
from planner.timing.durations import (
    SKIPPED,
    OccurrenceTimes,
    TaskTimes,
    length,
)

LEAST = 16
"""Samples on which drag is found, if there are as many, however large the graph."""

BUDGET = 16_000_000
"""Task-samples that are scheduled for it at most, unless `LEAST` samples take more: a few seconds."""


def enough(tasks: int, steps: int) -> int:
    """Samples on which the drag of so many steps of a graph is found, if there are as many: a power of two."""
    return max(LEAST, 1 << (BUDGET // (tasks * steps)).bit_length() >> 1)


class Drag:
    """Sums over the first samples of what each of `steps` drags.

    of : the step of each work
    limit : samples that count

    The draws, and what is done, stay as they are: attempts are as many as before, caches as warm, rework as long. A
    person whose step takes no time is not away either. A step that is not critical may have drag, even a negative one,
    for who gets an agent first changes with it (Graham's anomalies): so a sample is simulated again wherever any task
    becomes shorter, and only elsewhere is the drag known to be 0.
    """

    def __init__(self, tasks: int, of: Sequence[int], steps: int) -> None:
        self.of = of
        self.limit = enough(tasks, steps)
        self.moments = [Moments(TICK) for _ in range(steps)]

    def plus(self, other: Drag) -> None:
        """Add the samples of another, of the same graph."""
        for one, more in zip(self.moments, other.moments, strict=True):
            one.plus(more)

    def means(self) -> list[Mean]:
        """Of each step, seconds."""
        return [moments.mean() for moments in self.moments]

    def add(
        self,
        times: TaskTimes,
        speed: float,
        graph: Graph,
        schedule: Schedule,
        part: slice,
        first: int,
        durations: Floats,
    ) -> None:
        """Add the samples `part` of a slice, the first of which is sample `first` of all.

        durations : of these samples as they were scheduled
        """
        count = min(part.stop - part.start, self.limit - first)
        if count <= 0:
            return
        part = slice(part.start, part.start + count)
        whole = (times.fixed[:, :, part].sum(0) + times.decode[:, :, part].sum(0) / speed).T
        for step, moments in enumerate(self.moments):
            moments.add(self._lost(step, times, speed, graph, schedule, part, whole, durations[:count]))

    def _lost(
        self, step: int, times: TaskTimes, speed: float, graph: Graph, schedule: Schedule, part: slice, whole: Floats,
        durations: Floats,
    ) -> Floats:  # fmt: skip
        """(S,) seconds that one step drags. `whole`: durations before they are rounded."""
        shorter, away = np.ascontiguousarray(whole), times.away[part]
        if shorter is whole or np.shares_memory(shorter, whole):
            shorter = whole.copy()
        for piece, person in self._pieces(step, times):
            seconds = np.broadcast_to(piece.fixed + piece.decode / speed, (length(piece.tasks), times.fixed.shape[2]))
            shorter[:, piece.tasks] -= seconds[:, part].T
            if person and away.size:
                rows = graph.leave[piece.tasks]
                away = away.copy()
                away[:, rows[rows >= 0]] = 0.0
        round_to_ticks(np.maximum(shorter, 0.0, out=shorter))
        shorter[durations < 0] = SKIPPED
        changed = (shorter != durations).any(1) | (away != times.away[part]).any(1)
        lost = np.zeros(len(durations))
        if changed.any():
            found = simulate(graph, shorter[changed], patience=times.patience[part][changed], away=away[changed])
            lost[changed] = schedule.makespan[: len(durations)][changed] - found.makespan
        return lost

    def _pieces(self, step: int, times: TaskTimes) -> Iterator[tuple[OccurrenceTimes, bool]]:
        """The occurrences of a step, and whether they are of a person."""
        for own, totals in zip(self.of, times.works, strict=True):
            if own == step:
                for piece in totals.pieces:
                    yield piece, totals.work.kind == "human"
