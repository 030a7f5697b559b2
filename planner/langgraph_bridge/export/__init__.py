"""A workflow in, the source of a LangGraph application to start from out."""
