"""The data structures of a task graph: built by `expansion.build`, read by everything after it.

A `Fragment` is a part of a task graph under construction. It carries three views of the same tasks:

- arrays of edges and of seized and released pools, for the scheduler;
- a `TaskMap` for each `Work`, which maps the occurrences of the work to tasks: demands find their tasks through it;
- an `Outline`, the tree of how the tasks were composed (in order, side by side, in rounds): a rehearsal follows it
  instead of a schedule, and bounds on open requests are computed on it.

The fragment of the whole workflow becomes a `TaskGraph`, which keeps all three. `ItemSegment`s come before fragments:
they list what an item does and which agent it needs for that; `build.item` turns them into a fragment.
"""
