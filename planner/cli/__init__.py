"""The command line: options in, text and an exit code out. Typer stays in here; each command imports what it needs."""

GATE_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
"""Exit codes besides 0. They stand here, free of imports, for `planner.__main__`."""
