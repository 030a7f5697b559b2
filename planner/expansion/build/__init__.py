"""Declared steps in; fragments of a task graph out: fan-outs, items held by agents, pools, limits on size."""
