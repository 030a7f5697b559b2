"""Declared quantities in, distributions out: numbers, ranges, percentiles, arithmetic, counts, curves."""
