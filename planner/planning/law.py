"""What a hypothetical speed costs: providers sell speed at a premium."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """Prices of tokens are speed^exponent times as high at a speed other than 1x.

    basis : what the exponent rests on, in words
    """

    exponent: float
    basis: str = ""

    def __call__(self, speed: float) -> float:
        """The factor on prices."""
        return float(speed**self.exponent)


FREE = Law(0.0)
"""Every speed costs the same."""
