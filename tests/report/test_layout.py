from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from planner.report import without_colour
from planner.report.text.columns import left, right, shorten, shorten_left
from planner.report.text.layout import WIDTH, wrap

WORDS = st.lists(st.text("abc", min_size=1, max_size=20), min_size=1).map(" ".join)
WIDE = st.lists(st.text("abc\u65e5\u672c\U0001f680\u0301", min_size=1, max_size=60), min_size=1).map(" ".join)
"""Words of letters, Chinese characters, emoji and a combining accent."""


@given(WORDS)
def test_lines_fit_and_lose_no_word(text: str) -> None:
    lines = wrap(text)
    assert all(len(line) <= WIDTH for line in lines)
    assert " ".join(line.strip() for line in lines) == text


@given(WIDE)
def test_lines_of_wide_characters_fit_and_lose_none(text: str) -> None:
    lines = wrap(text)
    assert all(cell_len(line) <= WIDTH for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(WIDE, st.integers(1, 90))
def test_wide_names_are_cut_to_their_columns(name: str, most: int) -> None:
    for cut, kept in ((shorten(name, most), name.startswith), (shorten_left(name, most), name.endswith)):
        assert cell_len(cut) <= most
        assert (cut == name) == (cell_len(name) <= most)
        assert kept(cut.strip("\u2026"))
        assert cut == name or cell_len(cut) >= most - 1
    for filled in (left(shorten(name, most), most), right(shorten(name, most), most)):
        assert cell_len(filled) == most


@given(st.integers(1, 100))
def test_an_error_stays_with_its_sign(start: int) -> None:
    lines = wrap(f"{'a' * start} 5s ± 0.1s and more words")
    assert sum("± 0.1s" in line for line in lines) == 1


def test_long_names_are_cut_at_either_end() -> None:
    assert [shorten("abc", 3), shorten("abcd", 3)] == ["abc", "ab…"]
    assert [shorten_left("abc", 3), shorten_left("abcd", 3)] == ["abc", "…cd"]


def test_colours_are_removed() -> None:
    assert without_colour("\x1b[38;5;16;48;5;195m12min\x1b[0m") == "12min"
