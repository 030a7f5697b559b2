"""A workflow in, its estimates out, in the order of their influence on the completion time."""
