"""Output speeds by concurrency: `{1: 63, 16: 45, 64: 24}` in, the speed at any concurrency out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import planner.reading.units as units
from planner.reading.estimates import Estimate, constant
from planner.reading.units import BadValueError, within

MOST_REQUESTS = 1_000_000


@dataclass(frozen=True)
class Curve:
    """Tokens/s of each request where so many are served at a time.

    points : (concurrency, tokens/s), of rising concurrency
    """

    points: tuple[tuple[int, float], ...]

    def at(self, concurrency: int) -> Estimate:
        """The speed of each of so many requests.

        Between two points the time per token is linear in concurrency, as it is on measured servers (docs/model.md).
        Below the first point it is that of the first; above the last, all requests share the last point's total.
        """
        (first, fastest), (last, slowest) = self.points[0], self.points[-1]
        if concurrency <= first:
            return constant(fastest)
        if concurrency >= last:
            return constant(slowest * last / concurrency)
        low, high = next(
            (one, other) for one, other in zip(self.points, self.points[1:], strict=False) if other[0] >= concurrency
        )
        share = (concurrency - low[0]) / (high[0] - low[0])
        return constant(1 / ((1 - share) / low[1] + share / high[1]))

    def times(self, factor: float) -> Curve:
        """Of a server that is so many times as fast."""
        return replace(self, points=tuple((requests, speed * factor) for requests, speed in self.points))

    def __str__(self) -> str:
        return ", ".join(f"{requests}: {speed:g}" for requests, speed in self.points)


def is_curve(value: Any) -> bool:
    """Whether a value is meant as a curve: a mapping whose keys are numbers."""
    return isinstance(value, dict) and any(str(key).strip().isdecimal() for key in value)


def parse_curve(value: dict[str, Any]) -> Curve:
    """A curve. Raises `BadValueError`."""
    points: dict[int, float] = {}
    for key, speed in value.items():
        try:
            requests = units.whole(str(key), MOST_REQUESTS)
        except BadValueError as mistake:
            hint = "as in output_speed: {1: 63, 16: 45, 64: 24}"
            raise BadValueError(f"a number of concurrent requests {mistake}", hint, at=(key,), on_key=True) from None
        with within(key):
            points[requests] = units.RATE.bounded(units.rate(speed))
    return Curve(tuple(sorted(points.items())))
