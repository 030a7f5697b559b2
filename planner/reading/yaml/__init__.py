"""YAML text in, plain data and the position of every key and value out. The text cannot run code."""
