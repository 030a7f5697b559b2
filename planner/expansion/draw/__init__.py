"""A task graph and samples in; the demand of every occurrence out: requests, tokens and seconds, drawn per sample."""
