"""Spans of the stages. All those of one attempt share a trace, whichever process runs them.

The trace id is a digest of the durable instance id, so nothing has to be carried through the orchestration's history to
join them, and whoever has an instance id can look its trace up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import blake2b
from typing import Any

from observability import metrics

_tracer: Any = None


def enable(tracer: Any) -> None:
    """Trace with an ``opentelemetry.trace.Tracer`` from now on; None stops it."""
    global _tracer
    _tracer = tracer


def trace_id_of(instance_id: str) -> int:
    """128 bits, never 0, which would be no trace."""
    return int.from_bytes(blake2b(instance_id.encode(), digest_size=16).digest(), "big") or 1


@contextmanager
def observe_stage(stage: str, reference: Mapping[str, Any]) -> Iterator[None]:
    """Measures and traces the body. What the body raises is recorded and passes through."""
    started = time.perf_counter()
    failed = True
    try:
        with _span(stage, reference):
            yield
        failed = False
    finally:
        metrics.stage_ran(stage, time.perf_counter() - started, failed)


def _span(stage: str, reference: Mapping[str, Any]) -> AbstractContextManager[Any]:
    if _tracer is None:
        return nullcontext()
    from opentelemetry import trace

    trace_id = trace_id_of(reference["instanceId"])
    parent = trace.SpanContext(
        trace_id, trace_id & 0xFFFFFFFFFFFFFFFF or 1, is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    span: AbstractContextManager[Any] = _tracer.start_as_current_span(
        f"batch {stage}",
        context=trace.set_span_in_context(trace.NonRecordingSpan(parent)),
        attributes={"batch.id": reference["batchId"], "durable.instance_id": reference["instanceId"], "stage": stage},
    )
    return span
