"""A workflow in; the estimates that drive its completion time out."""
