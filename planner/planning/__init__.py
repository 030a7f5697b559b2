"""Demands and profiles in, times and costs out: forecast and comparison."""
