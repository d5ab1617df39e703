"""The append-only log: one folder per partition, segment files inside, one record per event."""
