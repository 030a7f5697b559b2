"""Results in, text out: terminal, JSON, CSV. Pure functions: nothing here prints."""
