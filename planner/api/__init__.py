"""Python calls in, results that show themselves out: what `import planner` offers (docs/python.md)."""
