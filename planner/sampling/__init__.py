"""Batches of scenarios in, samples of them out: simulated in blocks on threads or a cluster until precise enough."""
