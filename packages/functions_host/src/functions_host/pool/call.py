"""One call on its way to a worker and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functions_host.channel import CALL, Message
from functions_host.driven import Later
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
        self.answer: Later[Answer] = Later()

    @property
    def is_handle(self) -> bool:
        """Whether it is a step of an orchestrator or of an entity."""
        return self.payload[0] in ("handle", "entity")

    @property
    def is_over(self) -> bool:
        """Whether its caller knows what became of it, or no longer waits."""
        return self.answer.done()

    def succeed(self, answer: Answer) -> None:
        self.answer.give(answer)

    def message(self) -> Message:
        return (CALL, self.number, self.function, self.invocation_id, self.trace, self.retry, self.payload)

    def fail(self, error: Exception) -> None:
        self.answer.fail(error)


Finished = Callable[[Value, "Exception | None"], None]


class HandedCall(Call):
    """One that nobody awaits: `finished` is called once, with the value or with what went wrong; before, `over`."""

    __slots__ = ("_finished", "_over")

    def __init__(
        self,
        function: str,
        invocation_id: str,
        payload: Payload,
        finished: Finished,
        over: Callable[[Call], None] | None = None,
    ) -> None:
        self.function = function
        self.invocation_id = invocation_id
        self.payload = payload
        self.trace = self.retry = None
        self.number = 0
        self.sent = 0.0
        self._finished: Finished | None = finished
        self._over = over

    @property
    def is_over(self) -> bool:
        return self._finished is None

    def succeed(self, answer: Answer) -> None:
        self._end(answer[0], None)

    def fail(self, error: Exception) -> None:
        self._end(None, error)

    def _end(self, value: Value, error: Exception | None) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            if self._over is not None:
                self._over(self)
            finished(value, error)
