"""A task graph and samples in, demands out: tokens, turns and seconds, drawn for each sample."""
