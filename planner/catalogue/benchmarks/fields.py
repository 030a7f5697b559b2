"""A record in, its numbers and texts out, in seconds and tokens; what is missing or senseless is complained about."""

from __future__ import annotations

import math
from typing import Any

from planner.catalogue.benchmarks.records import Complaints, Record
from planner.errors import printable

_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0,
    "nanoseconds": 1e-9, "microseconds": 1e-6, "milliseconds": 1e-3, "seconds": 1.0,
}  # fmt: skip
_TOKENS = {"tokens": 1.0, "token": 1.0}
_LARGEST, _SMALLEST = 1e15, 1e-15


class Fields:
    """The values of one record."""

    def __init__(self, record: Record, complaints: Complaints) -> None:
        self.record = record
        self.data = record.data
        self.wrong = 0
        self._told: set[tuple[str, ...]] = set()
        self._complaints = complaints

    def refuse(self, message: str, *keys: str, hint: str | None = None, code: str = "bad-value") -> None:
        """Add a problem at these nested keys, once however often the value is asked for."""
        self.wrong += 1
        if (message, *keys) in self._told:
            return
        self._told.add((message, *keys))
        if self._complaints.full:  # where it stands would be looked for in vain
            self._complaints.more = True
            return
        record = f"record {self.record.number}: " if self.record.number > 1 or self.record.start else ""
        self._complaints.add(code, f"{record}{message}", self.record.place(*keys), hint)

    @property
    def hopeless(self) -> bool:
        """Whether no more complaints are taken, so that reading on is of no use."""
        return self._complaints.full

    def given(self, *keys: str) -> str | None:
        """The first of these keys that has a value."""
        return next((key for key in keys if self.data.get(key) is not None), None)

    def number(self, *keys: str, scale: float = 1.0, zero: bool = False) -> float | None:
        """The number at the first of these keys that has one, times `scale`; above 0 unless `zero`."""
        key = self.given(*keys)
        return None if key is None else self._checked(self.data[key], scale, zero, key)

    def needed(self, *keys: str, scale: float = 1.0, hint: str | None = None) -> float | None:
        """The same of a number without which nothing can be told."""
        if self.given(*keys) is None:
            self.missing(*keys, hint=hint)
            return None
        return self.number(*keys, scale=scale)

    def missing(self, *keys: str, hint: str | None = None) -> None:
        """Complain about keys of which one is needed."""
        written = next((key for key in keys if key in self.data), None)
        if written is not None:
            self.refuse(f"'{written}' is null", written, hint=hint, code="missing-key")
            return
        names = " or ".join(f"'{key}'" for key in keys)
        self.refuse(f"the key {names} is missing", hint=hint, code="missing-key")

    def text(self, *keys: str) -> str | None:
        """The text or number at the first of these keys that has one, on one line."""
        for key in keys:
            value = self.data.get(key)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and str_of(value):
                return str_of(value)
        return None

    def measured(self, name: str, needed: bool = False) -> float | None:
        """A metric of AIPerf, `{"value": 5.2, "unit": "ms"}`, in seconds or tokens."""
        metrics = self.data["metrics"]
        metric = metrics.get(name)
        if metric is None:
            if needed:
                self.refuse(f"the metric '{name}' is missing", "metrics", code="missing-key")
            return None
        if not isinstance(metric, dict) or "value" not in metric:
            message = f"'{name}' must be an object with 'value' and 'unit'"
            self.refuse(message, "metrics", name, hint='as in {"value": 5.2, "unit": "ms"}')
            return None
        units = _TOKENS if name.endswith(("_length", "_count")) else _SECONDS
        unit = metric.get("unit")
        if not isinstance(unit, str) or unit.strip().lower() not in units:
            expected = ", ".join(units if units is _TOKENS else list(units)[:5])
            shown = printable(str(unit))[:30]
            message = f"'{name}' has the unit '{shown}'" if unit is not None else f"'{name}' has no unit"
            self.refuse(message, "metrics", name, "unit", hint=f"expected one of {expected}")
            return None
        return self._checked(metric["value"], units[unit.strip().lower()], False, "metrics", name)

    def _checked(self, value: Any, scale: float, zero: bool, *path: str) -> float | None:
        """A number that a measurement can have. Text that is a number counts as one."""
        key = path[-1]
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            self.refuse(f"'{key}' must be a number", *path)
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        except ValueError:
            self.refuse(f"'{key}' must be a number, not '{printable(str(value))[:30]}'", *path)
            return None
        reason = (
            "must be a finite number"
            if not math.isfinite(number)
            else "must not be negative"
            if number < 0
            else "must be above 0"
            if number == 0 and not zero
            else f"must be at most {_LARGEST:g}"
            if number > _LARGEST
            else f"must be at least {_SMALLEST:g}"
            if 0 < number < _SMALLEST
            else None
        )
        if reason:
            self.refuse(f"'{key}' {reason}", *path)
            return None
        return number * scale


def str_of(value: str | int | float) -> str:
    """A value on one line of at most 100 characters, empty where nothing can be shown."""
    try:
        return printable(str(value)).strip()[:100]
    except ValueError:  # a whole number of over 4300 digits
        return ""
