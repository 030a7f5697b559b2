"""A deadline and a budget in, the cheapest scenario out that meets them."""
