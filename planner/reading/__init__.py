"""Text in, checked values with positions out: the bottom of every input that a user writes."""
