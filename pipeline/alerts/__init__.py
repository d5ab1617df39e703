"""Alerts: what batches note, how episodes are raised and cleared, what is told to whom."""
