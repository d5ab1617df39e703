"""What runs inside a worker process: the app, and nothing of the host but what calls it."""
