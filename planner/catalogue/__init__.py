"""Names of models in, profiles out, with the source and date of every number."""
