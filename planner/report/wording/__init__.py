"""Results in, phrases, sentences and table cells out, shared by text and HTML."""
