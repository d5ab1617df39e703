"""Operating the pipeline from a terminal, over its HTTP API: ``python -m telemetry_admin --help``."""
