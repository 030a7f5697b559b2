"""Numbers by concurrency in, `{1: 63, 16: 45, 64: 24}`; the number at any out (docs/model.md, "Requests")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import planner.reading.units as units
from planner.reading.estimates.estimate import Estimate, constant
from planner.reading.units import BadValueError, Quantity, within

MOST_REQUESTS = 1_000_000

EXAMPLES = ("ttft: {1: 0.4s, 16: 0.9s, 64: 6s}", "output_speed: {1: 63, 16: 45, 64: 24}")
"""Of times and of speeds."""

Points = tuple[tuple[int, float], ...]
"""Concurrency and value, of rising concurrency."""


@dataclass(frozen=True)
class Curve:
    """What each request gets where so many are served at a time.

    rate : the values are tokens/s, not seconds
    """

    points: Points
    rate: bool

    def at(self, concurrency: int) -> Estimate:
        """What each of so many requests gets.

        Between two points seconds are linear in concurrency, of a speed the seconds per token. Below the first point it
        is that of the first; above the last, all requests share the last point's total: seconds grow in proportion.
        """
        (first, least), (last, most) = self.points[0], self.points[-1]
        if concurrency <= first:
            return constant(least)
        if concurrency >= last:
            return constant(most * last / concurrency if self.rate else most * concurrency / last)
        low, high, share = _around(self.points, concurrency)
        if self.rate:
            return constant(1 / ((1 - share) / low[1] + share / high[1]))
        return constant((1 - share) * low[1] + share * high[1])

    def times(self, factor: float) -> Curve:
        """All values so many times as large."""
        return replace(self, points=tuple((requests, value * factor) for requests, value in self.points))


def together(ttft: Curve, output_speed: Curve, output: float, concurrency: int) -> tuple[Estimate, Estimate]:
    """Time to first token and output speed at a concurrency, of curves at the same concurrencies.

    output : mean output tokens of the requests that were measured

    At a point and outside of them each is read on its own. Between two points the time of a measured request is linear
    in concurrency. Of the requests in flight as many write as their share of that time says (Little 1961): from the
    lower point on their number grows in proportion to concurrency until it is that of the upper point, where the server
    is full. Where the upper point's cannot be reached so, or is lower, their number is linear too.
    """
    known = dict(ttft.points)
    low, high = ttft.points[0][0], ttft.points[-1][0]
    if concurrency in known or not low < concurrency < high:
        return ttft.at(concurrency), output_speed.at(concurrency)
    (low, _), (high, _), share = _around(ttft.points, concurrency)
    speeds = dict(output_speed.points)
    writing = {at: output / speeds[at] for at in (low, high)}
    whole = {at: known[at] + writing[at] for at in (low, high)}
    at_low, at_high = (at * writing[at] / whole[at] for at in (low, high))
    seconds = (1 - share) * whole[low] + share * whole[high]
    if at_low <= at_high <= at_low * high / low:
        number = min(at_low * concurrency / low, at_high)
    else:
        number = (1 - share) * at_low + share * at_high
    written = min(number / concurrency, 1.0) * seconds
    return constant(seconds - written), constant(output / written)


def _around(points: Points, concurrency: int) -> tuple[tuple[int, float], tuple[int, float], float]:
    """The points below and above a concurrency that is between them, and how far it is from one to the other."""
    low, high = next((one, other) for one, other in pairwise(points) if other[0] >= concurrency)
    return low, high, (concurrency - low[0]) / (high[0] - low[0])


def is_curve(value: Any) -> bool:
    """Whether a value is meant as a curve: a mapping whose keys are numbers."""
    return isinstance(value, dict) and any(str(key).strip().isdecimal() for key in value)


def parse_curve(value: dict[str, Any], quantity: Quantity) -> Curve:
    """A curve of speeds or times. Raises `BadValueError`."""
    points: dict[int, float] = {}
    for key, one in value.items():
        try:
            requests = units.whole(str(key), MOST_REQUESTS)
        except BadValueError as mistake:
            hint = f"as in {EXAMPLES[quantity is units.RATE]}"
            raise BadValueError(f"a number of concurrent requests {mistake}", hint, at=(key,), on_key=True) from None
        with within(key):
            points[requests] = quantity.bounded(quantity.parse(one))
    return Curve(tuple(sorted(points.items())), quantity is units.RATE)
