"""Limits that the command line and the Python interface share. It imports nothing."""

MOST_SAMPLES = 10_000_000
"""Monte-Carlo samples of one run."""
