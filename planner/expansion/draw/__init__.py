"""A task graph and samples in; the demand of every occurrence out: requests, tokens and seconds, drawn per sample.

Arrays have a row for each item of the innermost fan-out and a column for each sample. A single row holds for all items,
and a single column for all samples. "Where ..." describes a boolean array of this shape.
"""
