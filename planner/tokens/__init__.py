"""Texts in, token counts out, offline. Only this package imports tiktoken, when something is counted."""
