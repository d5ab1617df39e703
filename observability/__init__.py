"""What operators see: structured logs; traces and metrics when an exporter is configured."""

from observability.logs import log
from observability.tracing import observe_stage

__all__ = ["log", "observe_stage"]
