"""A task graph and model profiles in; the demands, seconds, US dollars and schedule of each sample out."""
