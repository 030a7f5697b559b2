"""Texts in, token counts out, offline. Only this package imports tiktoken, and only to count."""
