"""More agents or faster requests: which gains more within a grid, on the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planner.engine.statistics import quantile_interval
from planner.planning.results import Floats, Verdict

Point = tuple[float, int]

ALIKE = 0.01
"""Two completion times within this share of each other are about the same, however sure their order is."""


def verdict(grid: Sequence[Point], seconds: Mapping[Point, Floats]) -> Verdict:
    """Compare what more agents gain at the least speed with what speed gains for the fewest agents.

    grid : (speed, agents) asked for
    seconds : samples of each of them, paired
    """
    p50 = {point: float(np.median(seconds[point])) for point in grid}
    slow, few = min(speed for speed, _ in grid), min(count for _, count in grid)
    more = _least({point: p50[point] for point in sorted(grid) if point[0] == slow})
    faster = _least({point: p50[point] for point in sorted(grid) if point[1] == few})
    best = min(grid, key=lambda point: (p50[point], point[1], point[0]))
    if len({speed for speed, _ in grid}) == 1 or len({count for _, count in grid}) == 1:
        return Verdict(more, faster, "", (0.0, 0.0), best)
    low, high = quantile_interval(seconds[more] - seconds[faster], 0.5)
    alike = low <= 0 <= high or abs(p50[more] - p50[faster]) <= ALIKE * max(p50[more], p50[faster])
    return Verdict(more, faster, "same" if alike else "agents" if high < 0 else "speed", (low, high), best)


def _least(p50: Mapping[Point, float]) -> Point:
    """The first point, in ascending order, that is about as quick as the quickest."""
    limit = min(p50.values()) * (1 + ALIKE)
    return next(point for point, value in p50.items() if value <= limit)
