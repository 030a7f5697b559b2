"""Python calls in, results with text, HTML and tables out: all that `import planner` offers (docs/python.md)."""
