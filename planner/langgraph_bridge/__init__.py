"""Workflows and graphs in, real LangGraph runs on a virtual clock out; nothing else of ours imports LangGraph."""
