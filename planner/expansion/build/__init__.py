"""Declared steps in; fragments of a task graph out: items, fan-outs, crews, and limits on size."""
