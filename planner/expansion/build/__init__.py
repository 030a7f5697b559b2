"""Declared steps in, fragments of a task graph out: items, fan-outs, crews, and how large it all becomes."""
