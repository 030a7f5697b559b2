"""Workflows in, runs on the real LangGraph and LangGraph applications out. Only this package imports LangGraph."""
