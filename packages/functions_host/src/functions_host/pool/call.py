"""One call on its way to a worker and back."""

from __future__ import annotations

import asyncio
from typing import Any

from functions_host.channel import CALL, Message
from functions_host.payloads import Payload, Value

Answer = tuple[Value, dict[str, Value]]


class Call:
    """`answer` gets what came back; UserError, WorkerLost or FunctionTimeout otherwise."""

    __slots__ = ("answer", "function", "invocation_id", "number", "payload", "retry", "sent", "trace")

    def __init__(
        self,
        function: str,
        invocation_id: str,
        payload: Payload,
        trace: tuple[str, str] | None,
        retry: tuple[Any, ...] | None,
    ) -> None:
        self.function = function
        self.invocation_id = invocation_id
        self.payload = payload
        self.trace = trace
        self.retry = retry
        # Which call of the worker's that has it now, and since when (monotonic).
        self.number = 0
        self.sent = 0.0
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def message(self) -> Message:
        return (CALL, self.number, self.function, self.invocation_id, self.trace, self.retry, self.payload)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
