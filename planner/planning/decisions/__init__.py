"""Simulated scenarios in, decisions out: best number of agents, exchange rates, ceilings, money; with 95% intervals."""
