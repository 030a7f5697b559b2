"""A deadline and a budget in, the cheapest scenario that meets them out."""
