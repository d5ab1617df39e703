"""The domain: what a drone's telemetry is, and what may be concluded from it. Pure: no I/O, no Azure."""
