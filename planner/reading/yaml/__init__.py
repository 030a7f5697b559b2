"""YAML text in, plain data and the position of every key and value out. YAML runs no code here."""
