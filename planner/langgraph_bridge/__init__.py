"""Workflows in, real LangGraph runs and applications out. Nothing else of ours imports LangGraph."""
