"""What a forecast tells of one scenario beyond its end: sums over samples of what is on the critical path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from planner.engine.simulation import TICK, Schedule, round_to_ticks
from planner.expansion.fragments import Mark
from planner.expansion.work import Work
from planner.planning.timing import COORDINATION, PARTS, Times

Floats = NDArray[np.float64]


class WorkDetail:
    """Sums over samples of one placed work. Seconds are counted in ticks: whole numbers, whose sums are exact."""

    def __init__(self, mark: Mark[Work]) -> None:
        self.work = mark.what
        self.done = 0.0
        self.ticks = 0
        self.critical_ticks = 0
        self.tokens = np.zeros(4)


class Detail:
    """Sums over samples of the parts of the critical path, and of every work. Filled slice by slice."""

    def __init__(self, works: Sequence[Mark[Work]]) -> None:
        self.works = [WorkDetail(mark) for mark in works]
        self.ticks = [0] * (len(PARTS) + 1)

    def breakdown(self, samples: int) -> dict[str, float]:
        """Mean seconds of the critical path by part, and of waiting for an agent."""
        return {part: ticks * TICK / samples for part, ticks in zip((*PARTS, "waiting"), self.ticks, strict=True)}

    def add(self, times: Times, speed: float, schedule: Schedule, part: slice) -> Floats:
        """Add the samples `part` of a slice; returns their seconds of coordination on the critical path."""
        paths = [on_path(schedule, times.part(index, speed)[part]) for index in range(len(PARTS))]
        for index, seconds in enumerate((*paths, schedule.waiting)):
            self.ticks[index] += _ticks(seconds)
        width = times.fixed.shape[2]
        for detail, totals in zip(self.works, times.works, strict=True):
            detail.tokens += totals.tokens[:, part].sum(1)
            detail.done += float(totals.done[part].sum())
            for tasks, fixed, decode in totals.pieces:
                rows = len(range(tasks.start, tasks.stop, tasks.step))
                seconds = round_to_ticks(np.broadcast_to(fixed + decode / speed, (rows, width))[:, part].T.copy())
                detail.ticks += _ticks(seconds)
                detail.critical_ticks += _ticks(seconds * schedule.critical[:, tasks])
        return paths[COORDINATION]


def on_path(schedule: Schedule, seconds: Floats) -> Floats:
    """(S,) sums of (S, n) `seconds` over the critical path, in ticks, so that no order of summing shows."""
    return np.asarray((round_to_ticks(seconds.copy()) * schedule.critical).sum(1))


def _ticks(seconds: Floats) -> int:
    return int(seconds.sum() / TICK)
