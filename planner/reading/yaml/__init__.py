"""Parse YAML text into plain data, with the position of every key and value. The text cannot run code."""
