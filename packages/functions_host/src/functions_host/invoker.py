"""Has functions run by the workers: one call, or one with its retry policy; and ends what takes too long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from functions_host.clock import CLOCK, IDS, Clock
from functions_host.context import Origin, current
from functions_host.errors import FunctionFailed, FunctionTimeout, RetryInterrupted, UserError, described
from functions_host.functions import FunctionInfo
from functions_host.payloads import Payload, Value
from functions_host.pool.call import Answer, Call, Finished, HandedCall
from functions_host.tasks import Supervised, supervise

logger = logging.getLogger("functions_host.invoker")

# So long beyond functionTimeout a call may wait for a worker that takes it up.
_PATIENCE = 60.0

OutputWriter = Callable[[dict[str, Any], Value], Awaitable[None]]


class Workers(Protocol):
    """What runs the calls: `functions_host.pool.pool.WorkerPool`."""

    def submit(self, call: Call) -> None: ...
    def submit_all(self, calls: Sequence[HandedCall], at_once: int) -> None: ...
    def has_begun(self, call: Call) -> bool: ...
    def give_up(self, call: Call) -> None: ...


@dataclass(slots=True)
class Result:
    """What came back: the return value (None without a return binding) and those of the output parameters."""

    returned: Value = None
    outputs: dict[str, Value] = field(default_factory=dict)


class Invoker:
    """The one way to user code. `write_output` carries out an output binding other than HTTP."""

    def __init__(
        self, workers: Workers, *, timeout: float | None, write_output: OutputWriter, clock: Clock = CLOCK
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._timeout = timeout
        self._write_output = write_output
        self._running: dict[Call, float] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._watchdog: Supervised | None = None

    def start(self) -> None:
        timeout = self._timeout
        if timeout is not None:
            self._watchdog = supervise(lambda: self._watch(timeout), "the watch over functionTimeout")

    async def drain(self, seconds: float) -> int:
        """Wait until nothing runs, at most so long; returns how many invocations still run."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except asyncio.TimeoutError:
            logger.warning("still running after %.0f s: %s", seconds, ", ".join(sorted(self.running())))
        return len(self._running)

    def close(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()

    def running(self) -> list[str]:
        return [call.function for call in self._running]

    async def invoke(
        self,
        function: FunctionInfo,
        payload: Payload,
        *,
        invocation_id: str | None = None,
        trace: tuple[str, str] | None = None,
        retry: tuple[Any, ...] | None = None,
        level: int = logging.INFO,
    ) -> Result:
        """Run `function` once. `trace`: the caller's traceparent and tracestate.

        Raises FunctionFailed, logged already with the function's own trace.
        """
        origin = Origin(function.name, invocation_id or IDS.counted_guid())
        token = current.set(origin)
        started = self._clock.monotonic()
        try:
            call = Call(function.name, origin.invocation_id, payload, trace, retry)
            result = Result(*await self._answer(call))
            await self._write(function, result)
        except Exception as error:
            took = (self._clock.monotonic() - started) * 1000
            raise _failed(function, origin, error, took) from error
        else:
            if logger.isEnabledFor(level):
                took = (self._clock.monotonic() - started) * 1000
                logger.log(level, "Executed %s (Succeeded, %.0f ms)", function.name, took)
            return result
        finally:
            current.reset(token)

    async def invoke_with_retries(
        self,
        function: FunctionInfo,
        payload: Payload,
        *,
        level: int = logging.INFO,
        stopping: asyncio.Event | None = None,
    ) -> Result:
        """Run `function`, and again as its retry policy says. Raises the last FunctionFailed."""
        policy = function.retry
        if policy is None:
            return await self.invoke(function, payload, level=level)
        retry, failure = 0, None
        while True:
            try:
                seen = (retry, policy.max_retries, failure)
                return await self.invoke(function, payload, retry=seen, level=level)
            except FunctionFailed as error:
                if not policy.allows(retry):
                    raise
                if stopping is not None and stopping.is_set():
                    raise RetryInterrupted(function.name, error.invocation_id, error.cause) from error
                failure = described(error.cause)
                delay = policy.delay(retry)
                retry += 1
                limit = "without a limit" if policy.max_retries < 0 else f"of {policy.max_retries}"
                logger.warning("%s failed; retry %d %s in %.1f s", function.name, retry, limit, delay)
                if stopping is None:
                    await self._clock.sleep(delay)
                elif await self._clock.wait_for(stopping, delay):
                    raise RetryInterrupted(function.name, error.invocation_id, error.cause) from error

    async def handle(self, function: FunctionInfo, payload: Payload) -> tuple[Any, ...]:
        """One step of an orchestrator. Raises what became of it: UserError, WorkerLost, …"""
        value, _ = await self._answer(Call(function.name, IDS.counted_guid(), payload, None, None))
        assert value is not None
        return value

    def hand_over(self, function: FunctionInfo, payloads: Sequence[tuple[Payload, Finished]], at_once: int) -> None:
        """As `handle`, for many: each `finished` is called with the value, or with what became of it. No more than
        `at_once` run at any time."""
        name, over = function.name, self._ended
        ids = IDS.guids(len(payloads))
        calls = [
            HandedCall(name, invocation_id, payload, finished, over)
            for invocation_id, (payload, finished) in zip(ids, payloads, strict=True)
        ]
        for call in calls:
            self._begun(call)
        self._workers.submit_all(calls, at_once)

    async def _answer(self, call: Call) -> Answer:
        self._begun(call)
        try:
            self._workers.submit(call)
            return await call.answer
        finally:
            self._ended(call)

    def _begun(self, call: Call) -> None:
        self._running[call] = self._clock.monotonic()
        if len(self._running) == 1:
            self._idle.clear()

    def _ended(self, call: Call) -> None:
        del self._running[call]
        if not self._running:
            self._idle.set()

    async def _write(self, function: FunctionInfo, result: Result) -> None:
        for binding in function.bindings:
            if binding["type"] == "eventHub":
                value = result.returned if binding["name"] == "$return" else result.outputs.get(binding["name"])
                if value is not None:
                    # A task of its own: clients' timeouts ask for one.
                    await asyncio.ensure_future(self._write_output(binding, value))

    async def _watch(self, timeout: float) -> None:
        # One look around now and then instead of a timer per invocation: functionTimeout is minutes, calls are many.
        while True:
            await self._clock.sleep(min(1.0, timeout / 4))
            now = self._clock.monotonic()
            for call, since in list(self._running.items()):
                if call.is_over or now - since < timeout:
                    continue
                # Its time is the function's own: a call that waits for a worker loses nothing by that, within reason.
                over = (
                    now - call.sent >= timeout if self._workers.has_begun(call) else now - since >= timeout + _PATIENCE
                )
                if over:
                    call.fail(FunctionTimeout(f"timed out after {timeout} s"))
                    self._workers.give_up(call)


def _failed(function: FunctionInfo, origin: Origin, error: Exception, took: float) -> FunctionFailed:
    trace = (type(error), error, error.__traceback__) if isinstance(error, UserError) else None
    logger.error("Executed %s (Failed, %.0f ms): %s", function.name, took, described(error), exc_info=trace)
    return FunctionFailed(function.name, origin.invocation_id, error)
