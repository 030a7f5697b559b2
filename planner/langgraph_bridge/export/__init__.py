"""Workflows in, source code of LangGraph applications out, as a starting point."""
