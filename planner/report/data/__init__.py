"""Results in, plain data, JSON and CSV out (docs/reference/json.md)."""
