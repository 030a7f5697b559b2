"""Scenarios of a comparison in; advice and further facts out: exchange rates, ceilings, prices, chances."""
