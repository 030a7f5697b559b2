"""Tokens: text in, counts out. tiktoken is imported here only, when something is counted, and never downloads."""
