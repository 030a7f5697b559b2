"""A workflow file in, a validated `Workflow` out, or the problems of it and of the files it uses."""
