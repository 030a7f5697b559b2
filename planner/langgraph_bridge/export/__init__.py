"""Workflows in, the source of LangGraph applications to start from out."""
