from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from planner.reading.pay import Pay, pay
from planner.reading.units import BadValueError


@pytest.mark.parametrize(
    ("written", "usd", "hourly"),
    [
        (0.5, "0.5", False), ("$0.50", "0.50", False), ("5", "5", False), (0, "0", False), (1_000_000, "1000000", False),
        ("$80/h", "80", True), ("80/h", "80", True), (" 80 / h ", "80", True), ("$ 1_000.5/h", "1000.5", True), ("0/h", "0", True),
        ("$80 per hour", "80", True), ("$80 an hour", "80", True), ("80/hr", "80", True), ("$80/hour", "80", True),
    ],
)  # fmt: skip
def test_pay_is_an_amount_or_a_rate(written: Any, usd: str, hourly: bool) -> None:
    assert pay(written) == Pay(Decimal(usd), hourly)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("80/hours", "write $80/h"),
        ("1.50/min", "write $90/h"), ("1 / minutes", "write $60/h"), ("0.01/s", "write $36/h"), ("0.5/call", "write 0.5"),
        ("5 per review", "write 5"), ("80/x", "write a rate per hour, for example $80/h"),
        ("640/day", "write $80/h for a day of 8 hours, or $26.6667/h for one of 24 hours"),
        ("9/week", "write a rate per hour, for example $80/h"), ("50 cents", "write 0.5"), ("80 USD/h", "write $80/h"),
        ("80/h/h", None), ("/h", None), ("a lot", None), (True, None), ([80], None),
    ],
)  # fmt: skip
def test_a_remedy_is_named_where_the_meaning_is_clear(written: Any, hint: str | None) -> None:
    with pytest.raises(BadValueError, match="expected an amount of US dollars") as error:
        pay(written)
    assert error.value.hint == hint


@pytest.mark.parametrize("written", [-1, "-1", "-1/h", "$-80/h", float("inf"), 1_000_001, "2000000/h"])
def test_pay_has_bounds(written: Any) -> None:
    with pytest.raises(BadValueError, match="must"):
        pay(written)
