"""Exit codes besides 0."""

BAD_INPUT = 2
INTERRUPTED = 130
