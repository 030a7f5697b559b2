"""A task graph and samples in; the demand of every occurrence out: tokens, seconds and outcomes, drawn per sample.

Arrays have a row for each item of the innermost fan-out, or outside of fan-outs for each copy, and a column for each
sample. A single row or column holds for all. "Where" something holds is a boolean array of this shape.
"""
