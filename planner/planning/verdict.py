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
    """Compare the ends of the grid.

    grid : (speed, agents) asked for
    seconds : samples of each of them, paired, and of one agent at speed 1
    """
    speeds, agents = [speed for speed, _ in grid], [count for _, count in grid]
    slow, fast, few, many = min(speeds), max(speeds), min(agents), max(agents)
    p50 = {point: float(np.median(seconds[point])) for point in grid}
    best = min(grid, key=lambda point: (p50[point], point[1], point[0]))
    more, faster = (slow, many), (fast, few)
    if slow == fast or few == many:
        return Verdict(more, faster, "", (0.0, 0.0), best)
    low, high = quantile_interval(seconds[more] - seconds[faster], 0.5)
    alike = low <= 0 <= high or abs(p50[more] - p50[faster]) <= ALIKE * max(p50[more], p50[faster])
    return Verdict(more, faster, "same" if alike else "agents" if high < 0 else "speed", (low, high), best)
