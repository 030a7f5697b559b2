"""Data structures of a task graph: fragments and how to join them, loops, conditions, order of steps. Nothing is drawn.

A `Fragment` is a part of a task graph under construction. It carries three views of the same tasks:

- arrays of edges and of seized and released pools, for the scheduler;
- a `TaskMap` for each `Work`, which maps the occurrences of the work to tasks, so that demands find their tasks;
- an `Outline`, the tree of how the tasks were composed (in order, side by side, in rounds). A rehearsal follows this
  tree instead of a schedule, and the bounds on open requests are computed from it.

The fragment of the whole workflow becomes a `TaskGraph`, which keeps all three views. An item begins as a list
of `ItemSegment`s. Each segment has a part of the item's work and the pool of the agent that this part needs.
`build.item` turns the segments into a fragment.
"""
