"""What operators see: structured logs here; traces and metrics in ``observability.telemetry`` when an exporter is set."""

from observability.logs import log

__all__ = ["log"]
