"""Options in, text and an exit code out: the command line. Only this package uses Typer."""

import os

GATE_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
"""Exit codes besides 0. This module imports nothing heavy, because `planner.__main__` imports it first."""

INTERRUPTION = "interrupted; nothing was written"


def leave(signal_number: int, frame: object) -> None:
    """Handler of Ctrl-C until a command begins its work: a module that is being imported could turn
    KeyboardInterrupt into another error, and there is nothing to clean up.
    """
    os.write(2, f"{INTERRUPTION}\n".encode())
    os._exit(INTERRUPTED)
