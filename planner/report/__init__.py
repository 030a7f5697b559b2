"""Results in, text, HTML, JSON and CSV out. Pure functions: nothing here prints."""
