"""Runs functions: sync ones in a thread pool, async ones on the event loop, each inside its invocation's context."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from functions_host.bindings import encode
from functions_host.context import Invocation, RetryContext, RpcException, current, new_invocation
from functions_host.errors import FunctionFailed, FunctionTimeout, RetryInterrupted, StartError, user_traceback
from functions_host.functions import FunctionInfo, Slot

logger = logging.getLogger("functions_host.invoker")

InputReader = Callable[[Slot], Any]
OutputWriter = Callable[[Slot, Any], Awaitable[None]]


@dataclass(slots=True)
class Result:
    """What came back: the return value's Datum (None without a return binding) and those of the output parameters."""

    returned: Any = None
    outputs: dict[str, Any] = field(default_factory=dict)


class Out:
    """func.Out: a cell for an output parameter."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


def thread_count() -> int:
    """PYTHON_THREADPOOL_THREAD_COUNT (from 1 on), else the worker's default."""
    text = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if not text:
        return min(32, (os.cpu_count() or 1) + 4)
    if not text.isdigit() or int(text) < 1:
        raise StartError(f"PYTHON_THREADPOOL_THREAD_COUNT must be a whole number from 1 on, not {text!r}")
    return int(text)


class Invoker:
    """The one place where user code starts.

    `read_input` gives the Datum of an input binding (the durable client's), `write_output` carries out an output
    binding other than HTTP.
    """

    def __init__(
        self,
        *,
        timeout: float | None,
        read_input: InputReader,
        write_output: OutputWriter,
        threads: int | None = None,
    ) -> None:
        self._timeout = timeout
        self._read_input = read_input
        self._write_output = write_output
        self._pool = ThreadPoolExecutor(threads or thread_count(), thread_name_prefix="function")
        self._running: dict[int, Invocation] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._watchdog: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._timeout is not None:
            self._watchdog = asyncio.get_running_loop().create_task(self._watch(self._timeout))

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
        self._pool.shutdown(wait=False, cancel_futures=True)

    def running(self) -> list[str]:
        return [invocation.function_name for invocation in self._running.values()]

    async def invoke(
        self,
        function: FunctionInfo,
        datum: Any,
        *,
        metadata: Mapping[str, Any] | None = None,
        invocation: Invocation | None = None,
        level: int = logging.INFO,
        value: Any = None,
    ) -> Result:
        """Run `function` once. `datum` goes through the trigger's converter; `value`, if given, is used as it is.

        Raises FunctionFailed, the function's exception in it and already logged with its trace.
        """
        run = invocation or new_invocation(function.name, function.directory)
        token = current.set(run)
        started = time.perf_counter()
        self._enter(run)
        try:
            result = await self._run(function, datum, metadata or {}, run, value)
        except asyncio.CancelledError as error:
            if not run._timed_out:
                raise
            _uncancel(run._task)
            raise self._failed(function, run, FunctionTimeout(f"timed out after {self._timeout} s"), started) from error
        except Exception as error:
            raise self._failed(function, run, error, started) from error
        else:
            if logger.isEnabledFor(level):
                logger.log(level, "Executed %s (Succeeded, %.0f ms)", function.name, _since(started))
            return result
        finally:
            self._leave(run)
            current.reset(token)

    async def invoke_with_retries(
        self,
        function: FunctionInfo,
        datum: Any,
        *,
        metadata: Mapping[str, Any] | None = None,
        value: Any = None,
        level: int = logging.INFO,
        stopping: asyncio.Event | None = None,
    ) -> Result:
        """Run `function`, and again as its retry policy says. Raises the last FunctionFailed."""
        policy = function.retry
        if policy is None:
            return await self.invoke(function, datum, metadata=metadata, value=value, level=level)
        retry, failure = 0, None
        while True:
            seen = RetryContext(retry, policy.max_retries, failure)
            invocation = new_invocation(function.name, function.directory, retry=seen)
            try:
                return await self.invoke(
                    function, datum, metadata=metadata, value=value, level=level, invocation=invocation
                )
            except FunctionFailed as error:
                if not policy.allows(retry):
                    raise
                if stopping is not None and stopping.is_set():
                    raise RetryInterrupted(function.name, error.invocation_id, error.cause) from error
                failure = RpcException(function.name, "", f"{type(error.cause).__name__}: {error.cause}")
                delay = policy.delay(retry)
                retry += 1
                limit = "for ever" if policy.max_retries < 0 else f"of {policy.max_retries}"
                logger.warning("%s failed; retry %d %s in %.1f s", function.name, retry, limit, delay)
                if stopping is None:
                    await asyncio.sleep(delay)
                elif await _signalled(stopping, delay):
                    raise RetryInterrupted(function.name, error.invocation_id, error.cause) from error

    async def _run(
        self, function: FunctionInfo, datum: Any, metadata: Mapping[str, Any], run: Invocation, value: Any
    ) -> Result:
        slot = function.trigger_slot
        arguments = {
            slot.name: slot.converter.decode(datum, trigger_metadata=metadata) if value is None else value,
        }
        for extra in function.inputs:
            arguments[extra.name] = extra.converter.decode(self._read_input(extra), trigger_metadata=None)
        if function.requires_context:
            arguments["context"] = run
        outs = {out.name: Out() for out in function.outputs}
        arguments.update(outs)
        if function.is_async:
            run.thread_local_storage.invocation_id = run.invocation_id
            returned = await function.call(**arguments)
        else:
            loop = asyncio.get_running_loop()
            scope = contextvars.copy_context()
            returned = await loop.run_in_executor(self._pool, scope.run, _in_thread, function.call, arguments, run)
        return await self._collect(function, returned, outs)

    async def _collect(self, function: FunctionInfo, returned: Any, outs: dict[str, Out]) -> Result:
        result = Result()
        if function.returns is None:
            if returned is not None:
                raise RuntimeError(f"function {function.name!r} without a $return binding returned a non-None value")
        else:
            result.returned = encode(function.returns.converter, returned, function.returns.pytype)
            if function.returns.binding["type"] == "eventHub":
                await self._write_output(function.returns, result.returned)
        for slot in function.outputs:
            value = outs[slot.name].get()
            if value is None:
                continue
            datum = encode(slot.converter, value, slot.pytype)
            result.outputs[slot.name] = datum
            if slot.binding["type"] != "http":
                await self._write_output(slot, datum)
        return result

    def _enter(self, run: Invocation) -> None:
        if self._timeout is not None:
            run._task = asyncio.current_task()
            run._deadline = time.monotonic() + self._timeout
        self._running[id(run)] = run
        self._idle.clear()

    def _leave(self, run: Invocation) -> None:
        del self._running[id(run)]
        if not self._running:
            self._idle.set()

    def _failed(self, function: FunctionInfo, run: Invocation, error: BaseException, started: float) -> FunctionFailed:
        message = "Executed %s (Failed, %.0f ms): %s: %s"
        trace = (type(error), error, user_traceback(error))
        logger.error(message, function.name, _since(started), type(error).__name__, error, exc_info=trace)
        return FunctionFailed(function.name, run.invocation_id, error)

    async def _watch(self, timeout: float) -> None:
        # One look around now and then instead of a timer per invocation: functionTimeout is minutes, calls are many.
        while True:
            await asyncio.sleep(min(1.0, timeout / 4))
            now = time.monotonic()
            for run in list(self._running.values()):
                if run._task is not None and now > run._deadline and not run._timed_out:
                    run._timed_out = True
                    run._task.cancel()


def _in_thread(call: Callable[..., Any], arguments: dict[str, Any], run: Invocation) -> Any:
    storage = run.thread_local_storage
    storage.invocation_id = run.invocation_id
    try:
        return call(**arguments)
    finally:
        storage.invocation_id = None


def _uncancel(task: asyncio.Task[Any] | None) -> None:
    uncancel = getattr(task, "uncancel", None)  # Python 3.11 on
    if uncancel is not None:
        uncancel()


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


async def _signalled(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
