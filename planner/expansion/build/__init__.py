"""Declared steps in; fragments of a task graph out: fan-outs, items that agents hold, pools of crews, limits on size."""
