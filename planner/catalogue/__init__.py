"""Names of models in, profiles out, with source and date of every number."""
