"""A progress bar on a terminal. It appears if a command takes longer than a second."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

PATIENCE = 1.0
"""Seconds before the bar appears."""

_EVERY = 0.2


class Progress:
    """A progress bar and context manager. Call the bar with the completed share, from 0 to 1.

    The bar is erased at the end of the `with` block, or by `erase`. It appears only on a terminal.

    overwriting : whether the terminal can write over a line; if not, there is no bar
    """

    def __init__(self, stream: TextIO, overwriting: bool = True) -> None:
        self.stream = stream
        self.overwriting = overwriting
        self.doing = "simulating"
        self.shown = False
        self.next = time.monotonic() + PATIENCE

    def __call__(self, done: float) -> None:
        now = time.monotonic()
        if now < self.next or not self.overwriting or not self.stream.isatty():
            return
        self.next = now + _EVERY
        self.shown = True
        length = max(0, min(40, _columns() - len(self.doing) - len("  100%")))
        filled = round(done * length)
        self.stream.write(f"\r{self.doing} {'█' * filled}{'·' * (length - filled)} {done:4.0%}")
        self.stream.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.erase()

    def erase(self) -> None:
        """Remove the bar, before anything else is written."""
        if self.shown:
            self.shown = False
            self.stream.write("\r" + " " * min(60, _columns()) + "\r")
            self.stream.flush()


def _columns() -> int:
    """The number of columns to write in. The last one stays free: some terminals start a new line after it."""
    return shutil.get_terminal_size().columns - 1
