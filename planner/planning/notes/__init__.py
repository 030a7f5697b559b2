"""Simulated scenarios in, notes on the limits of their numbers out. A note is a code with values."""
