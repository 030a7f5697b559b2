"""Results in, JSON and CSV out (docs/reference/json.md)."""
