"""Paths in, text out: UTF-8 files of limited size, the CSV files they name, the files of the command line."""
