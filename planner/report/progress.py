"""A progress bar on a terminal. It appears in the first second of a command that takes longer."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from threading import Event, RLock, Thread
from typing import TextIO

PATIENCE = 0.4
"""Seconds before the bar appears. Python and the planner take about as long to start: together, under a second."""

_EVERY = 0.2


class Progress:
    """A progress bar on a terminal. Call the object with the completed share, from 0 to 1.

    The object is a context manager. In the `with` block, a thread draws the bar, so that it appears in time even if the
    first call comes late. The bar is erased at the end of the block.

    overwriting : whether the terminal can overwrite a line. If it cannot, or if the output is not a terminal, no bar
        appears
    """

    def __init__(self, stream: TextIO, overwriting: bool = True) -> None:
        self.stream = stream
        self.doing = "simulating"
        self.shown = False
        self.next = time.monotonic() + PATIENCE
        self._visible = overwriting and stream.isatty()
        self._done: float | None = 0.0
        self._lock = RLock()
        self._end = Event()
        self._thread = Thread(target=self._redraw, name="progress", daemon=True)

    def __call__(self, done: float) -> None:
        with self._lock:
            self._done = done
            self._draw()

    def __enter__(self) -> Progress:
        if self._visible:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self.erase()

    def erase(self) -> None:
        """Erase the progress bar. Call this method before you write other text to the terminal.

        The bar appears again at the next call of the object.
        """
        with self._lock:
            self._done = None
            if self.shown:
                self.shown = False
                self.stream.write("\r" + " " * min(60, _columns()) + "\r")
                self.stream.flush()

    def _redraw(self) -> None:
        """Draw the bar regularly, until the end or until the terminal is closed."""
        with suppress(OSError, ValueError):
            while not self._end.wait(max(0.01, self.next - time.monotonic())):
                with self._lock:
                    self._draw()

    def _draw(self) -> None:
        now = time.monotonic()
        if self._done is None or now < self.next or not self._visible:
            return
        self.next = now + _EVERY
        self.shown = True
        length = max(0, min(40, _columns() - len(self.doing) - len("  100%")))
        filled = round(self._done * length)
        self.stream.write(f"\r{self.doing} {'█' * filled}{'·' * (length - filled)} {self._done:4.0%}")
        self.stream.flush()


def _columns() -> int:
    """Return the width of the terminal minus one column.

    Some terminals start a new line after a character in the last column.
    """
    return shutil.get_terminal_size().columns - 1
