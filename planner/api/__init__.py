"""Python calls in, answers out that show themselves: what `import planner` offers (docs/python.md)."""
