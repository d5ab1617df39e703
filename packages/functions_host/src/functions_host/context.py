"""What a function sees of its invocation (func.Context), and which invocation the running code belongs to."""

from __future__ import annotations

import os
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_STORAGE = threading.local()


@dataclass(slots=True)
class TraceContext:
    """W3C trace context of the invocation; capitalised aliases are the worker's deprecated ones."""

    trace_parent: str
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def Traceparent(self) -> str:
        return self.trace_parent

    @property
    def Tracestate(self) -> str:
        return self.trace_state

    @property
    def Attributes(self) -> dict[str, str]:
        return self.attributes


@dataclass(slots=True)
class RpcException:
    """The exception of the attempt before, as a retry sees it."""

    source: str = ""
    stack_trace: str = ""
    message: str = ""


@dataclass(slots=True)
class RetryContext:
    """`retry_count` is 0 for the first attempt; `max_retry_count` is the policy's (0 without one)."""

    retry_count: int = 0
    max_retry_count: int = 0
    rpc_exception: RpcException | None = None

    @property
    def exception(self) -> RpcException | None:
        return self.rpc_exception


@dataclass(slots=True)
class Invocation:
    """func.Context, inside a worker."""

    function_name: str
    function_directory: str
    invocation_id: str
    retry_context: RetryContext
    # The caller's traceparent and tracestate, if it sent some; made into a context when somebody asks.
    _caller: tuple[str, str] | None = None
    _trace: TraceContext | None = None

    @property
    def trace_context(self) -> TraceContext:
        if self._trace is None:
            self._trace = new_trace(*(self._caller or ()))
        return self._trace

    @property
    def thread_local_storage(self) -> Any:
        return _STORAGE


class Origin(NamedTuple):
    """Which invocation a line of the host's own log belongs to."""

    function_name: str
    invocation_id: str


current: ContextVar[Invocation | Origin | None] = ContextVar("functions_host_invocation", default=None)


def new_trace(parent: str | None = None, state: str = "") -> TraceContext:
    """Continues a caller's trace where it sent one, else starts a new one."""
    digits = os.urandom(24).hex()
    parts = (parent or "").split("-")
    if len(parts) != 4 or [len(part) for part in parts] != [2, 32, 16, 2]:
        return TraceContext(f"00-{digits[:32]}-{digits[32:48]}-01")
    return TraceContext(f"00-{parts[1]}-{digits[32:48]}-{parts[3]}", state)
