"""Steps as read from YAML in, problems out: unknown names, ineffective modifiers, dependency cycles."""
