"""Time and cost of LLM agent workflows before they run: faster requests or more agents?

file → `Workflow` → task graph and demands → samples → `Forecast` or `Comparison` → text.
"""

__version__ = "0.1.0"
