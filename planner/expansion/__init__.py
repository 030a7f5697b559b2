"""Workflow and crew sizes in, task graph and demands out."""
