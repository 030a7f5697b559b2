"""Simulated scenarios in, what to decide by out: each number with its 95 % interval (docs/model.md, "Decisions")."""
