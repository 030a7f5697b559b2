"""A graph of steps in, LangGraph's supersteps and their barriers out, with candidates for subgraphs."""
