"""What the world offers: names in, `Profile`s out."""
