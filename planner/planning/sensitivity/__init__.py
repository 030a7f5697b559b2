"""A workflow in, its random quantities out, in the order of their influence on the completion time."""
