"""Scheduled samples in; critical path, drag, utilisation, typical run and distribution of completion times out."""
