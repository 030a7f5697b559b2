"""A progress bar on a terminal. It appears if a command takes longer than a second."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

PATIENCE = 1.0
"""Seconds before the bar appears."""

_EVERY = 0.2


class Progress:
    """A progress bar on a terminal. Call the object with the completed share, from 0 to 1.

    The object is a context manager. The bar is erased at the end of the `with` block. If the output is not a terminal,
    no bar appears.

    overwriting : whether the terminal can overwrite a line; if not, no bar appears
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
        """Erase the progress bar. Call this method before you write other text to the terminal."""
        if self.shown:
            self.shown = False
            self.stream.write("\r" + " " * min(60, _columns()) + "\r")
            self.stream.flush()


def _columns() -> int:
    """Return the width of the terminal minus one column.

    Some terminals start a new line after a character in the last column.
    """
    return shutil.get_terminal_size().columns - 1
