"""Predicted samples in, the same samples run on the real LangGraph out, and the first difference."""
