"""Options in, text and an exit code out: the command line. Only this package uses Typer."""

import os

GATE_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
"""Exit codes besides 0. This module imports nothing heavy, because `planner.__main__` imports it first."""

INTERRUPTION = "interrupted; nothing was written"


def leave(signal_number: int, frame: object) -> None:
    """Handle Ctrl-C before a command starts its work: print a message and exit.

    This handler does not raise KeyboardInterrupt, because an import could turn KeyboardInterrupt into another error.
    Nothing needs to be cleaned up yet.
    """
    os.write(2, f"{INTERRUPTION}\n".encode())
    os._exit(INTERRUPTED)
