"""Text of a file in, validated values with their positions out: YAML, units, estimates, model profiles."""
