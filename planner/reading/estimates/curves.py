"""Values by concurrency in, such as `{1: 63, 16: 45, 64: 24}`; the value at any concurrency out.

See docs/model.md, "Requests".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import planner.reading.units as units
from planner.reading.estimates.estimate import Estimate, constant
from planner.reading.units import BadValueError, Quantity, within

MOST_REQUESTS = 1_000_000

EXAMPLES = ("ttft: {1: 0.4s, 16: 0.9s, 64: 6s}", "output_speed: {1: 63, 16: 45, 64: 24}")
"""Examples of a curve of times and of a curve of speeds."""

Points = tuple[tuple[int, float], ...]
"""Pairs of concurrency and value, in the order of rising concurrency."""


@dataclass(frozen=True)
class Curve:
    """Time or speed of a request as a function of concurrency.

    Concurrency is the number of requests that are served together.

    points : pairs of concurrency and value
    rate : True if the values are speeds in tokens/s, False if they are times in seconds
    """

    points: Points
    rate: bool

    def at(self, concurrency: int) -> Estimate:
        """Return the value of the curve at a concurrency.

        - Below the first point, the value is that of the first point.
        - Between two points, a time is interpolated linearly. For a speed, the time per token is interpolated.
        - Above the last point, all requests share the total throughput of the last point. A time grows in proportion to
          concurrency.
        """
        (first, least), (last, most) = self.points[0], self.points[-1]
        if concurrency <= first:
            return constant(least)
        if concurrency >= last:
            return constant(most * last / concurrency if self.rate else most * concurrency / last)
        low, high, share = _neighbours(self.points, concurrency)
        if self.rate:
            return constant(1 / ((1 - share) / low[1] + share / high[1]))
        return constant((1 - share) * low[1] + share * high[1])

    def times(self, factor: float) -> Curve:
        """Return the curve with all values multiplied by `factor`."""
        return replace(self, points=tuple((requests, value * factor) for requests, value in self.points))


def interpolate_together(
    ttft: Curve, output_speed: Curve, output: float, concurrency: int
) -> tuple[Estimate, Estimate]:
    """Return the time to first token and the output speed at a concurrency, from both curves together.

    The two curves must come from one measurement, with points at the same concurrencies. Between two points, two
    numbers are interpolated: the seconds of a whole request, and the number of requests that write output at the same
    time. These two numbers determine both results. docs/model.md has the equations under "Requests".

    output : mean output tokens of the measured requests
    """
    ttfts, speeds = dict(ttft.points), dict(output_speed.points)
    low, high = ttft.points[0][0], ttft.points[-1][0]
    if concurrency in ttfts or not low < concurrency < high:
        return ttft.at(concurrency), output_speed.at(concurrency)
    (low, _), (high, _), share = _neighbours(ttft.points, concurrency)
    writing = {point: output / speeds[point] for point in (low, high)}
    total = {point: ttfts[point] + writing[point] for point in (low, high)}
    writers_low, writers_high = (point * writing[point] / total[point] for point in (low, high))
    seconds = (1 - share) * total[low] + share * total[high]
    if writers_low <= writers_high <= writers_low * high / low:
        writers = min(writers_low * concurrency / low, writers_high)
    else:
        writers = (1 - share) * writers_low + share * writers_high
    writing_seconds = min(writers / concurrency, 1.0) * seconds
    return constant(seconds - writing_seconds), constant(output / writing_seconds)


def _neighbours(points: Points, concurrency: int) -> tuple[tuple[int, float], tuple[int, float], float]:
    """Return the nearest points below and above a concurrency, and its relative position between these points.

    The relative position is 0 at the lower point, and 1 at the upper point.
    """
    low, high = next((below, above) for below, above in pairwise(points) if above[0] >= concurrency)
    return low, high, (concurrency - low[0]) / (high[0] - low[0])


def is_curve(value: Any) -> bool:
    """Whether a value is written as a curve: a mapping with a number as a key, such as `{1: 63, 16: 45}`."""
    return isinstance(value, dict) and any(str(key).strip().isdecimal() for key in value)


def parse_curve(value: dict[str, Any], quantity: Quantity) -> Curve:
    """Parse a curve, such as `{1: 63, 16: 45}`. Times are in seconds, and speeds are in tokens/s.

    Raises `BadValueError` if a concurrency or a value is invalid.
    """
    points: dict[int, float] = {}
    for key, number in value.items():
        try:
            requests = units.whole(str(key), MOST_REQUESTS)
        except BadValueError as mistake:
            hint = f"write for example '{EXAMPLES[quantity is units.RATE]}'"
            raise BadValueError(f"the number of concurrent requests {mistake}", hint, at=(key,), on_key=True) from None
        with within(key):
            points[requests] = quantity.bounded(quantity.parse(number))
    return Curve(tuple(sorted(points.items())), quantity is units.RATE)
