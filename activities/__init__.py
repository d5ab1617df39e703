"""The steps of a batch: each reads one document and writes one, addressed by the batch, so that twice is once."""
