"""A predicted sample in, the same sample performed on the real LangGraph out, and where the two differ."""
