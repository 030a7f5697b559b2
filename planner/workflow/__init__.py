"""What a user declares: a YAML file in, a validated `Workflow` out."""
