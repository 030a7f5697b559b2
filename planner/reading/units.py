"""Quantities as people write them: durations, token counts, speeds, factors, money. Text or number in, number out.

Every parser raises ValueError whose text says what was expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_NUMBER = r"\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+"
_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(rf"({_NUMBER})\s*(ms|sec|min|s|m|h|d)\s*")
_TOKENS = re.compile(rf"({_NUMBER})\s*([kKM]?)(?:\s*(?:tokens?|tok))?")
_RATE = re.compile(rf"({_NUMBER})\s*([kK]?)\s*(?:(?:tokens?|tok)?\s*/\s*s)?")
_FACTOR = re.compile(rf"({_NUMBER})\s*[x×]?")
_MONEY = re.compile(rf"\$?\s*({_NUMBER})")
_PREFIX = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}


def finite(value: float) -> float:
    """`value`, unless it is negative or not a finite number."""
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _match(pattern: re.Pattern[str], value: Any, expected: str) -> tuple[float, str]:
    """The number, and the unit if the pattern has one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return finite(float(value)), ""
    if isinstance(value, str):
        text = value.strip()
        if re.match(r"-\s*[\d.]", text):
            raise ValueError("must not be negative")
        match = pattern.fullmatch(text)
        if match:
            return finite(float(match[1].replace("_", ""))), match[2] if pattern.groups > 1 else ""
    raise ValueError(f"expected {expected}")


def duration(value: Any) -> float:
    """Seconds of `30s`, `500ms`, `5min`, `1h30m`, `2d`; 0 needs no unit."""
    expected = "a time with its unit, such as 30s, 5min or 1h30m"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return 0.0
        raise ValueError(
            f"a time needs a unit: write {value:g}s, {value:g}min or {value:g}h"
            if value > 0
            else "must not be negative"
        )
    if not isinstance(value, str):
        raise ValueError(f"expected {expected}")
    text = value.strip()
    if text.startswith("-"):
        raise ValueError("must not be negative")
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        if re.fullmatch(_NUMBER, text):
            return duration(float(text.replace("_", "")))
        raise ValueError(f"expected {expected}")
    return finite(sum(float(number.replace("_", "")) * _SECONDS[unit] for number, unit in parts))


def tokens(value: Any) -> float:
    """Tokens of `900`, `12k`, `1.5M`, `12_000`."""
    number, prefix = _match(_TOKENS, value, "a number of tokens, such as 900, 12k or 1.5M")
    return number * _PREFIX[prefix]


def count(value: Any) -> float:
    """A plain number such as `12`."""
    return _match(re.compile(rf"({_NUMBER})"), value, "a number")[0]


def rate(value: Any) -> float:
    """Tokens per second of `60`, `1.2k` or `60 tok/s`; above 0."""
    number, prefix = _match(_RATE, value, "tokens per second, such as 60")
    return positive(number * _PREFIX[prefix])


def factor(value: Any) -> float:
    """A factor such as `2.5x` or 2.5; above 0."""
    return positive(_match(_FACTOR, value, "a factor such as 2.5x")[0])


def money(value: Any) -> Decimal:
    """US dollars of `5`, `0.25` or `$5`, exact."""
    if isinstance(value, str) and (match := _MONEY.fullmatch(value.strip())):
        return Decimal(match[1].replace("_", ""))
    if isinstance(value, int | float) and not isinstance(value, bool):
        finite(value)
        return Decimal(str(value))
    raise ValueError("expected US dollars, such as 5 or 0.25")


def positive(value: float) -> float:
    """`value`, unless it is 0 or less."""
    if value <= 0:
        raise ValueError("must be above 0")
    return value


@dataclass(frozen=True)
class Quantity:
    """What an estimate estimates: how one number is read, its bounds, and whether draws are whole numbers."""

    name: str
    parse: Callable[[Any], float]
    example: str
    whole: bool = False
    least: float = 0.0
    most: float = math.inf


DURATION = Quantity("time", duration, "30s to 4min", most=366 * 86400.0)
TOKENS = Quantity("number of tokens", tokens, "500 to 2k", whole=True, most=1e9)
TURNS = Quantity("number of turns", count, "6 to 14", whole=True, least=1.0, most=1000.0)
RATE = Quantity("speed", rate, "40 to 80", least=0.001, most=1e9)
