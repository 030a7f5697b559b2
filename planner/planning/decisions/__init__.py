"""Scenarios of a comparison in; decisions out: best number of agents, exchange rates, ceilings, value of an hour."""
