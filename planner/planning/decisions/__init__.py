"""Simulated scenarios of a comparison in; decisions with 95% intervals out: best number of agents, exchange rates,
ceilings, the value of an hour, break-even and payback."""
