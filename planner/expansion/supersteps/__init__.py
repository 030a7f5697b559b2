"""A graph of steps in; its LangGraph supersteps as a fragment of a task graph out, and subgraphs that may save time."""
