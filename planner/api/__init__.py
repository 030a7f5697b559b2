"""Python calls in, results with text, HTML and tables out: all that `import planner` offers (docs/python.md).

This module has the limits and defaults of requests. The options of the command line need no other import for them.
"""

MOST_SAMPLES = 10_000_000
MOST_THREADS = 1024

SPEEDS = (1.0, 1.5, 2.5, 5.0, 8.0)
"""Default speeds of `target` with one model without faster tiers. Otherwise, the only default speed is 1."""
