"""What the pipeline does per second and per byte. ``python -m benchmarks --list`` names the measurements."""
