from __future__ import annotations

import io
import time

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


def test_a_short_command_shows_nothing() -> None:
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


def appears(terminal: Terminal) -> bool:
    """Whether a bar appears within a minute."""
    end = time.monotonic() + 60
    while "simulating" not in terminal.getvalue() and time.monotonic() < end:
        time.sleep(0.01)
    return "simulating" in terminal.getvalue()


def test_the_bar_appears_before_the_simulation_reports_anything() -> None:
    """Expanding a large workflow takes seconds. The first report of `target` came after 7 s."""
    terminal, start = Terminal(), time.monotonic()
    with Progress(terminal):
        assert appears(terminal)
        assert time.monotonic() - start >= progress.PATIENCE
    assert terminal.getvalue().endswith("\r" + " " * 60 + "\r")


def test_an_erased_bar_appears_again_with_the_next_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    terminal = Terminal()
    with Progress(terminal) as show:
        assert appears(terminal)
        show.erase()
        text = terminal.getvalue()
        time.sleep(0.1)  # ten intervals of the thread
        assert terminal.getvalue() == text
        show(0.25)
        assert " 25%" in terminal.getvalue()


def test_no_thread_draws_after_the_end_or_on_a_closed_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    terminal = Terminal()
    with Progress(terminal) as show:
        assert appears(terminal)
    show._thread.join(60)
    assert not show._thread.is_alive()
    closed = Progress(Terminal())
    closed.stream.close()
    with pytest.raises(ZeroDivisionError), closed:
        raise ZeroDivisionError
    closed._thread.join(60)
    assert not closed._thread.is_alive()
