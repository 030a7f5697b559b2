"""A `Workflow` and crew sizes in, a `TaskGraph` and its demands out."""
