from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planner.report import without_colour
from planner.report.text.layout import WIDTH, shorten, shorten_left, wrap

WORDS = st.lists(st.text("abc", min_size=1, max_size=20), min_size=1).map(" ".join)


@given(WORDS)
def test_lines_fit_and_lose_no_word(text: str) -> None:
    lines = wrap(text)
    assert all(len(line) <= WIDTH for line in lines)
    assert " ".join(line.strip() for line in lines) == text


@given(st.integers(1, 100))
def test_an_error_stays_with_its_sign(start: int) -> None:
    lines = wrap(f"{'a' * start} 5s ± 0.1s and more words")
    assert sum("± 0.1s" in line for line in lines) == 1


def test_long_names_are_cut_at_either_end() -> None:
    assert [shorten("abc", 3), shorten("abcd", 3)] == ["abc", "ab…"]
    assert [shorten_left("abc", 3), shorten_left("abcd", 3)] == ["abc", "…cd"]


def test_colours_are_removed() -> None:
    assert without_colour("\x1b[38;5;16;48;5;195m12min\x1b[0m") == "12min"
