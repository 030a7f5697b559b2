from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.reading.units import duration
from planner.report.wording import quantities


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00s"),
        (1e-9, "<0.001ms"),
        (0.00123, "1.2ms"),
        (0.004, "4ms"),
        (0.0994, "99ms"),
        (0.0996, "0.10s"),
        (9.994, "9.99s"),
        (9.996, "10.0s"),
        (59.96, "1min"),
        (3599.4, "59min59s"),
        (3599.6, "1h00"),
        (86380, "24h00"),
        (90_270, "25h04"),
        (90_360, "25h06"),
        (359_969, "99h59"),
        (359_971, "4d04h"),
        (442_000, "5d03h"),
        (1e8, "1,157d"),
        (9999 * 86400, "9,999d"),
        (38_612 * 86400, "38,600d"),
        (999_499 * 86400, "999,000d"),
        (999_501 * 86400, "1.00e6d"),
        (3.86e7 * 86400, "3.86e7d"),
    ],
)
def test_a_time_has_three_or_four_digits(value: float, text: str) -> None:
    assert quantities.seconds(value) == text


@given(st.floats(1e-6, 1e15))
def test_a_time_in_words_reads_back_within_its_rounding(value: float) -> None:
    """To half the smaller of its two units: at worst half an hour of a hundred, or half a minute of an hour. Of two
    digits to a twentieth."""
    text = quantities.seconds(value).replace(",", "")
    read = duration(text if text[-1].isalpha() else f"{text}min")
    assert read == pytest.approx(value, rel=1 / 20 if value < 0.0995 else 1 / 100, abs=0.005 if value >= 0.0995 else 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "$0.00"), (0.0042, "$0.0042"), (0.0996, "$0.10"), (3.1, "$3.10"), (99.996, "$100"), (1234.4, "$1,234")],
)
def test_money_has_the_digits_that_matter(value: float, text: str) -> None:
    assert quantities.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (12345, "12.3k"), (999_500, "1M"), (4.56e6, "4.56M"), (1e9, "1G")],
)
def test_tokens_have_three_digits(value: float, text: str) -> None:
    assert quantities.token_count(value) == text


@pytest.mark.parametrize(("value", "text"), [(1, "1x"), (2.5, "2.5x"), (0.126, "0.126x"), (12345.6, "12,346x")])
def test_factors(value: float, text: str) -> None:
    assert quantities.factor(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (0.044, "<0.1"), (0.05, "0.1"), (1, "1"), (1.4, "1.4"), (167, "167")]
)
def test_what_is_done_at_times_is_not_never(count: float, text: str) -> None:
    assert quantities.times(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0%"), (0.0004, "<0.1%"), (0.0005, "0.05%"), (0.9993, "99.9%"), (0.9994, "99.9%"), (0.9995, ">99.9%"),
        (1.0, "100%"),
    ],
)  # fmt: skip
def test_only_shares_that_would_read_as_none_or_all_are_bounds(value: float, text: str) -> None:
    assert quantities.share(value) == text
