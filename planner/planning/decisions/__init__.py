"""Simulated scenarios in, decisions out: exchange rates, best numbers, ceilings, money; each with its 95 % interval."""
