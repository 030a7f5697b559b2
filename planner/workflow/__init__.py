"""A workflow file in, a validated `Workflow` out, or every mistake in it."""
