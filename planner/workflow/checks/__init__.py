"""Raw steps in, problems out: unknown names, modifiers without effect, dependency cycles."""
