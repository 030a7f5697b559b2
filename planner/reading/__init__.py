"""Text in, checked values with positions out: YAML, units, estimates, model profiles as declared."""
