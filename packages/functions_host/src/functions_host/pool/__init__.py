"""The host's side of the worker processes: who runs what, who is well, who is replaced."""
