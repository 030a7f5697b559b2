"""Options in, text and an exit code out: the command line. Only this package uses Typer."""

GATE_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
"""Exit codes besides 0. This module imports nothing, because `planner.__main__` imports it before all other modules."""
