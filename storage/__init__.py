"""Where batches, messages and dead letters are kept: the ports (``storage.ports``) and their adapters."""
