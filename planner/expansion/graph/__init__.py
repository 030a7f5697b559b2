"""The data structures of a task graph: tasks, work, loops, conditions, and how fragments of a graph compose."""
