"""Results in, HTML tables for notebooks out."""
