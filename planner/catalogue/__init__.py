"""What the world offers: names in, `Profile`s out, and where each of their numbers comes from."""
