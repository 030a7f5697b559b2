"""Quantities and comparisons in, words and sentences out, for every format."""
