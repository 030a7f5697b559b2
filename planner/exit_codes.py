"""Exit codes besides 0."""

GATE_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
