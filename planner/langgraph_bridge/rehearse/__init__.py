"""Predicted samples in, their runs on the real LangGraph out, with the first difference from the prediction."""
