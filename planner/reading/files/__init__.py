"""Paths in, text or table rows out: workflow files, the files they refer to, CSV files, files to count."""
