"""Samples and their schedules in, measures out: critical path, drag, utilisation, typical run, distribution."""
