"""A budget and a fast tier in, the steps to put on that tier out."""
