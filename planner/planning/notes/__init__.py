"""Scenarios in, notes on the use of their numbers out, as codes and values."""
