"""Scenarios of a comparison in; decisions out: best number of agents, exchange rates, ceilings, the value of an hour."""
