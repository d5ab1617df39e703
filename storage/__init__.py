"""Where batches, messages and dead letters are kept: adapters of the ports in ``pipeline.ports``."""
