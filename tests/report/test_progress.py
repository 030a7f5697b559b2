from __future__ import annotations

import io

import pytest

from planner.report import Progress, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(stream: io.StringIO) -> str:
    with Progress(stream) as show:
        show(0.0)
        show(0.5)
    return stream.getvalue()


def test_nothing_is_shown_in_the_first_second() -> None:
    assert run(Terminal()) == ""


def test_a_terminal_shows_progress_and_is_left_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    text = run(Terminal())
    assert " 50%" in text
    assert text.endswith("\r" + " " * 60 + "\r")


def test_a_file_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    assert run(io.StringIO()) == ""
