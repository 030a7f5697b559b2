"""A LangGraph graph in, its task graph and completion times out. Internal: no command reaches it yet."""
