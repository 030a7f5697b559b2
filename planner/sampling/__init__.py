"""Scenarios in, simulated samples out: batches, blocks of samples, backends, stopping rule, cache of draws."""
