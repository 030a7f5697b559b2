"""Parse quantities as people write them: durations, token counts, speeds, factors, money.

All parsers raise `BadValueError`, whose message says what is expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from planner.reading.hints import (
    NUMBER,
    count_meant,
    dollars_meant,
    per_second,
    rate_meant,
    time_meant,
    tokens_meant,
    without_commas,
)

LONGEST_TEXT = 100
"""Most characters of a quantity."""

_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(rf"({NUMBER})\s*(ms|sec|min|s|m|h|d)\s*")
_HOURS_MINUTES = re.compile(r"\d+h[0-5]\d")
"""A time as results show it, such as `2h05`."""

_TOKENS = re.compile(rf"({NUMBER})\s*([kKM]?)(?:\s*(?:tokens?|tok))?")
_RATE = re.compile(rf"({NUMBER})\s*([kK]?)\s*(?:(?:tokens?|tok)?\s*/\s*s)?")
_FACTOR = re.compile(rf"({NUMBER})\s*[x×]?")
_PERCENT = re.compile(rf"({NUMBER})\s*%")
_MONEY = re.compile(rf"\$?\s*({NUMBER})")
_PLAIN = re.compile(rf"({NUMBER})")
_NEGATIVE = re.compile(r"-\s*[\d.]")
_PER_HOUR = re.compile(r"(.*?)\s*(?:/|\bper\b)\s*(?:h|hr|hour)")
_MEANT = {_TOKENS: tokens_meant, _RATE: per_second, _PLAIN: count_meant}
"""For some kinds of quantities, the function that makes hints."""

_PREFIX = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}


class BadValueError(ValueError):
    """Error for a value that cannot be parsed.

    hint : text that says what to write instead
    at : keys and indices that lead from the value to the mistake; empty if the whole value is wrong
    on_key : True if the mistake is in a key, False if the mistake is in a value
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        code: str = "bad-value",
        at: tuple[str | int, ...] = (),
        on_key: bool = False,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        self.at = at
        self.on_key = on_key


@contextmanager
def within(*keys: str | int) -> Iterator[None]:
    """Context manager that extends the path `at` of each `BadValueError` from its block.

    keys : keys and indices to add at the beginning of the path
    """
    try:
        yield
    except BadValueError as mistake:
        raise BadValueError(
            str(mistake), mistake.hint, code=mistake.code, at=(*keys, *mistake.at), on_key=mistake.on_key
        ) from None


def is_number(value: Any) -> bool:
    """Whether a value is an int or a float. The values True and False do not count as numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def finite(value: float) -> float:
    """Return `value` unchanged. Raises `BadValueError` if `value` is negative or not finite."""
    if not math.isfinite(value):
        raise BadValueError("must be a finite number")
    if value < 0:
        raise BadValueError("must not be negative")
    return value


def positive(value: float) -> float:
    """Return `value` unchanged. Raises `BadValueError` if `value` is 0 or negative."""
    if value <= 0:
        raise BadValueError("must be above 0")
    return value


def at_most(value: float, most: float) -> float:
    """Return `value` unchanged. Raises `BadValueError` if `value` is above `most`."""
    if value > most:
        raise BadValueError(f"must be at most {most:,.15g}")
    return value


def _text(value: Any, expected: str) -> str:
    """Return `value` with spaces at both ends removed.

    expected : description of a valid value, for messages

    Raises `BadValueError` if `value` is not text, is too long, or begins with a minus sign and a number.
    """
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise BadValueError(f"expected {expected}")
    text = value.strip()
    if _NEGATIVE.match(text):
        raise BadValueError("must not be negative")
    return text


def _match(pattern: re.Pattern[str], value: Any, expected: str) -> tuple[float, str]:
    """Return the number in a value, and its unit. The unit is "" if the value has no unit.

    pattern : pattern with a group for the number and perhaps a second group for the unit
    expected : description of a valid value, for messages

    Raises `BadValueError` if the value does not match the pattern.
    """
    if is_number(value):
        return finite(float(value)), ""
    text = _text(value, expected)
    match = pattern.fullmatch(text)
    if not match:
        meant = _MEANT.get(pattern)
        raise BadValueError(f"expected {expected}", without_commas(text) or (meant(text) if meant else None))
    return finite(float(match[1].replace("_", ""))), match[2] if pattern.groups > 1 else ""


def duration(value: Any) -> float:
    """Parse a time, such as `30s`, `500ms`, `5min`, `1h30m`, `1h30` or `2d`, into seconds. The time 0 needs no unit."""
    expected = "a time with its unit, such as 30s, 5min or 1h30m"
    if is_number(value):
        number = finite(float(value))
        if number:
            raise BadValueError("a time needs a unit", f"write {number:.15g}s, {number:.15g}min or {number:.15g}h")
        return 0.0
    text = _text(value, expected)
    if _HOURS_MINUTES.fullmatch(text):
        text += "min"
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        if _PLAIN.fullmatch(text):
            return duration(float(text.replace("_", "")))
        raise BadValueError(f"expected {expected}", without_commas(text) or time_meant(text))
    sizes = [_SECONDS[unit] for _, unit in parts]
    if any(larger <= smaller for larger, smaller in pairwise(sizes)):
        raise BadValueError(
            f"expected {expected}", "write larger units first, and each unit only once, for example 1h30m"
        )
    return finite(sum(float(number.replace("_", "")) * _SECONDS[unit] for number, unit in parts))


def tokens(value: Any) -> float:
    """Parse a number of tokens, such as `900`, `12k`, `1.5M` or `12_000`."""
    number, prefix = _match(_TOKENS, value, "a number of tokens, such as 900, 12k or 1.5M")
    return finite(number * _PREFIX[prefix])


def count(value: Any) -> float:
    """Parse a number, such as `12`. The number cannot have a unit."""
    return _match(_PLAIN, value, "a number without a unit, such as 12")[0]


def whole(value: Any, most: int) -> int:
    """Parse a whole number from 1 to `most`."""
    number = count(value)
    if not number.is_integer():
        raise BadValueError("must be a whole number")
    if number < 1:
        raise BadValueError("must be at least 1")
    return int(at_most(number, most))


def rate(value: Any) -> float:
    """Parse a speed in tokens per second, such as `60`, `1.2k` or `60 tok/s`. The speed must be above 0."""
    number, prefix = _match(_RATE, value, "tokens per second, such as 60")
    return positive(number * _PREFIX[prefix])


def factor(value: Any) -> float:
    """Parse a factor, such as `2.5x` or `2.5`. The factor must be above 0 and at most a million."""
    return at_most(positive(_match(_FACTOR, value, "a factor, such as 2.5x")[0]), 1e6)


def chance(value: Any) -> float:
    """Parse a probability, such as `70%`, `0.4%` or `0.7`."""
    expected = "a chance, such as 70%"
    if is_number(value):
        number = finite(float(value))
        if number > 1:
            hint = (
                f"write {number:.15g}%"
                if number >= 2
                else "write a number from 0 to 1, or a percentage from 0% to 100%"
            )
            raise BadValueError("a chance above 1 needs a % sign", hint)
        return number
    text = _text(value, expected)
    match = _PERCENT.fullmatch(text)
    if not match:
        raise BadValueError(f"expected {expected}", without_commas(text))
    percent = float(match[1].replace("_", ""))
    if percent > 100:
        raise BadValueError("must be at most 100%")
    return percent / 100


def precision(value: Any) -> float:
    """Parse a share, such as `1%` or `0.01`. The share must be above 0 and at most 1."""
    expected = "expected a share above 0%, up to 100%, such as 1%"
    try:
        share = chance(value)
    except BadValueError:
        raise BadValueError(expected) from None
    if not share:
        raise BadValueError(expected)
    return share


def widening(value: Any) -> float:
    """Parse a factor of uncertainty, such as `1.3x`. The factor must be at least 1."""
    number = factor(value)
    if number < 1:
        raise BadValueError(
            "must be at least 1x",
            "write for example 1.3x: then 5 of 100 actual values are over 1.3 times the estimate",
        )
    return number


def money(value: Any) -> Decimal:
    """Parse an amount of US dollars, such as `5`, `0.25` or `$5`. The amount must be at most a million."""
    expected = "US dollars, such as 5 or 0.25"
    if is_number(value):
        at_most(finite(float(value)), 1e6)
        return Decimal(str(value))
    text = _text(value.replace("$", "", 1) if isinstance(value, str) else value, expected)
    match = _MONEY.fullmatch(text)
    if not match:
        raise BadValueError(f"expected {expected}", without_commas(text) or dollars_meant(value))
    at_most(finite(float(match[1].replace("_", ""))), 1e6)
    return Decimal(match[1].replace("_", ""))


def money_per_hour(value: Any) -> Decimal:
    """Parse an amount of US dollars per hour, such as `40`, `$40`, `40/h` or `$40/h`."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return money(value)
    match = _PER_HOUR.fullmatch(value.strip())
    amount = match[1] if match else value.strip()
    if "/" in amount or "per " in amount:
        raise BadValueError("expected US dollars per hour, such as 40 or 40/h", rate_meant(value))
    return money(amount)


def setup_of(value: Any) -> tuple[float, float]:
    """Parse a time, an amount of US dollars, or both. Examples are `2h`, `$500` and `2h,$500`.

    Returns seconds and US dollars. A missing time or amount is 0.
    """
    expected = "a time, US dollars, or both, such as 2h, $500 or 2h,$500"
    parts = [part.strip() for part in _text(value, expected).split(",")]
    dollars = [part for part in parts if part.startswith("$")]
    times = [part for part in parts if not part.startswith("$")]
    if len(dollars) > 1 or len(times) > 1:
        raise BadValueError(f"expected {expected}")
    return sum(map(duration, times)), float(sum(map(money, dollars)))


def log_sd(value: Any) -> float:
    """Parse the standard deviation of a lognormal's logarithm, such as `0.2`. The value must be at most 3.

    With the value 3, the 95th percentile is 139 times the median.
    """
    return at_most(_match(_PLAIN, value, "a number without a unit, such as 0.2")[0], 3.0)


def context(value: Any) -> float:
    """Parse a context length in tokens, such as `200k`. The length must be above 0."""
    return positive(tokens(value))


@dataclass(frozen=True)
class Quantity:
    """A kind of quantity, such as a time or a number of tokens.

    parse : function that returns the number for a declared value
    single : example of a value, for messages
    spread : example of a range, for messages
    whole : whether the quantity is a whole number
    least, most : smallest and largest allowed number, in the unit that `parse` returns
    unit : unit for the bounds in messages, such as days
    per_unit : size of `unit`, for example 86400 if `unit` is days and `parse` returns seconds
    """

    name: str
    parse: Callable[[Any], float]
    single: str
    spread: str
    whole: bool = False
    least: float = 0.0
    most: float = math.inf
    unit: str = ""
    per_unit: float = 1.0

    @property
    def expected(self) -> str:
        """Message that says what to write for the quantity, with examples."""
        low, high = self.spread.split(" to ")
        return f"expected a {self.name}, such as {self.single}, or {self.spread}, or {{p50: {low}, p95: {high}}}"

    def bounded(self, number: float) -> float:
        """Return `number` unchanged. Raises `BadValueError` if `number` is below `least` or above `most`."""
        if not self.least <= number <= self.most:
            side, bound = ("least", self.least) if number < self.least else ("most", self.most)
            raise BadValueError(f"must be at {side} {bound / self.per_unit:,.15g}{self.unit}")
        return number


DURATION = Quantity("time", duration, "30s", "30s to 4min", most=366 * 86400.0, unit=" days", per_unit=86400.0)
TOKENS = Quantity("number of tokens", tokens, "900", "500 to 2k", whole=True, most=1e9)
OUTPUT = Quantity("number of tokens", tokens, "900", "500 to 2k", least=1.0, most=1e9)
TURNS = Quantity("number of turns", count, "8", "6 to 14", whole=True, least=1.0, most=1000.0)
RATE = Quantity("speed", rate, "60", "40 to 80", least=0.001, most=1e9, unit=" tokens per second")
SIZE = Quantity("size", factor, "1x", "0.4x to 2.5x", least=1e-3, most=1000.0)
MULTIPLE = Quantity("factor", factor, "2.5x", "1.2x to 2.5x", most=1e6)
CALLS = Quantity("number of calls", count, "1", "1 to 4", whole=True, least=1.0, most=100.0)
