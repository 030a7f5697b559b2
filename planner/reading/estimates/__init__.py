"""Declared quantities in, distributions out: numbers, ranges, percentiles, expressions, counts, curves."""
