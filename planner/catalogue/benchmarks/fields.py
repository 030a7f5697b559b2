"""Get numbers, in seconds and tokens, and texts from a record. Missing and invalid values are reported."""

from __future__ import annotations

import math
from typing import Any

from planner.catalogue.benchmarks.records import Problems, Record
from planner.errors import printable

_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0,
    "nanoseconds": 1e-9, "microseconds": 1e-6, "milliseconds": 1e-3, "seconds": 1.0,
}  # fmt: skip
_TOKENS = {"tokens": 1.0, "token": 1.0}
_LARGEST, _SMALLEST = 1e15, 1e-15


class Fields:
    """The values of one record of a result file.

    wrong : number of problems found in the record, including repeated problems
    """

    def __init__(self, record: Record, problems: Problems) -> None:
        self.record = record
        self.data = record.data
        self.wrong = 0
        self._reported: set[tuple[str, ...]] = set()
        self._problems = problems

    def refuse(self, message: str, *keys: str, hint: str | None = None, code: str = "bad-value") -> None:
        """Report a problem with a value of the record. A repeated problem is counted, but not reported again.

        keys : path of nested keys to the value
        """
        self.wrong += 1
        if (message, *keys) in self._reported:
            return
        self._reported.add((message, *keys))
        if self._problems.full:  # a search for the position would be useless
            self._problems.more = True
            return
        record = f"record {self.record.number}: " if self.record.number > 1 or self.record.start else ""
        self._problems.add(code, f"{record}{message}", self.record.place(*keys), hint)

    @property
    def full(self) -> bool:
        """Whether the limit on the number of problems is reached, so that reading can stop."""
        return self._problems.full

    def first_present(self, *keys: str) -> str | None:
        """Return the first of the given keys that has a value. Return None if no key has a value."""
        return next((key for key in keys if self.data.get(key) is not None), None)

    def number(self, *keys: str, scale: float = 1.0, zero: bool = False) -> float | None:
        """Return the number at the first of `keys` that has a value, multiplied by `scale`.

        Return None if no key has a value. If the value is invalid, report a problem and return None.

        zero : whether the value may be 0
        """
        key = self.first_present(*keys)
        return None if key is None else self._checked(self.data[key], scale, zero, key)

    def required(self, *keys: str, scale: float = 1.0, hint: str | None = None) -> float | None:
        """Return the number at the first of `keys` that has a value, multiplied by `scale`.

        If there is no valid number, report a problem and return None.
        """
        if self.first_present(*keys) is None:
            self.missing(*keys, hint=hint)
            return None
        return self.number(*keys, scale=scale)

    def missing(self, *keys: str, hint: str | None = None) -> None:
        """Report that the record has no value for any of the given keys."""
        null_key = next((key for key in keys if key in self.data), None)
        if null_key is not None:
            self.refuse(f"'{null_key}' is null", null_key, hint=hint, code="missing-key")
            return
        names = " or ".join(f"'{key}'" for key in keys)
        self.refuse(f"the key {names} is missing", hint=hint, code="missing-key")

    def text(self, *keys: str) -> str | None:
        """Return the text or number at the first of `keys` that has one, formatted by `one_line`.

        Return None if no key has a text or a number.
        """
        for key in keys:
            value = self.data.get(key)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and one_line(value):
                return one_line(value)
        return None

    def metric(self, name: str, required: bool = False) -> float | None:
        """Return a metric of AIPerf as a number of seconds or tokens.

        For example, `{"value": 5.2, "unit": "ms"}` is 0.0052. If the metric is missing or invalid,
        return None. An invalid metric is reported as a problem.

        required : whether to report a missing metric as a problem
        """
        metrics = self.data["metrics"]
        metric = metrics.get(name)
        if metric is None:
            if required:
                self.refuse(f"the metric '{name}' is missing", "metrics", code="missing-key")
            return None
        if not isinstance(metric, dict) or "value" not in metric:
            message = f"'{name}' must be an object with 'value' and 'unit'"
            self.refuse(message, "metrics", name, hint='write for example {"value": 5.2, "unit": "ms"}')
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
        """Convert a value to a number, and return the number times `scale`.

        If the value is not a plausible number, report a problem and return None.

        value : a number, or the text of a number
        zero : whether the value may be 0
        path : nested keys of the value in the record
        """
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


def one_line(value: str | int | float) -> str:
    """Format a value on one line of at most 100 characters. Return an empty text if the value cannot be shown."""
    try:
        return printable(str(value)).strip()[:100]
    except ValueError:  # an integer of over 4300 digits
        return ""
