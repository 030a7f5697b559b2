"""Results in, terminal text of 80 columns out."""
