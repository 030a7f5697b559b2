"""Demands and a model profile in, seconds and US dollars of each task out."""
