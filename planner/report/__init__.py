"""Results in, text, HTML, JSON and CSV out. These functions return strings and data; they print nothing."""
