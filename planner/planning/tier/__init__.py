"""A budget and a fast tier in, the steps worth putting on that tier out."""
