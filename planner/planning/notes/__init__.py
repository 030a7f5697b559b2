"""Scenarios in, what a reader must know to use their numbers out."""
