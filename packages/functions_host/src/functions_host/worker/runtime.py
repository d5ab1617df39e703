"""Runs the calls a worker gets: handles at once, async functions on the loop, the others in threads.

Nothing a function raises goes further than its own call: every BaseException is its failure.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from azure.functions import OrchestrationContext

from functions_host.channel import (
    ASK,
    CALL,
    CANCEL,
    DONE,
    FAILED,
    HELD,
    REPLY,
    SIGNALLED,
    SIGNALS,
    SKIPPED,
    TURNED,
    TURNS,
    Message,
)
from functions_host.context import Invocation, RetryContext, RpcException, current
from functions_host.functions import LoadedFunction
from functions_host.payloads import Payload
from functions_host.worker.inputs import ClientTexts, arguments_of
from functions_host.worker.results import done, failed
from functions_host.worker.threads import Threads

# An async function that was cancelled has so long to end.
_CANCEL_SECONDS = 1.0
_HANDLES = frozenset({"orchestrationTrigger", "entityTrigger"})
_NO_RETRY = RetryContext()


class Progress(Protocol):
    """Where the worker notes how far it came; see `functions_host.page`."""

    begun: int
    handling: int

    def is_taken_back(self, number: int) -> bool: ...


class Sender(Protocol):
    def send(self, message: Message) -> None: ...
    def post(self, kind: int, item: Any) -> None: ...
    def flush(self) -> None: ...


class Runtime:
    """`clients` holds the text of each durable client binding, by task hub and connection name."""

    def __init__(
        self,
        functions: Mapping[str, LoadedFunction],
        sender: Sender,
        progress: Progress,
        *,
        threads: int,
        clients: ClientTexts,
    ) -> None:
        self._functions = functions
        self._sender = sender
        self._progress = progress
        self._clients = clients
        self._loop = asyncio.get_running_loop()
        self._threads = Threads(threads, self._in_thread)
        # Its task, or nothing for what is in a thread or waits for one.
        self._running: dict[int, asyncio.Task[None] | None] = {}
        self._asked: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._signals: dict[int, asyncio.Future[int]] = {}
        self._questions = 0
        # How many tasks are made and have not run yet, and what must not overtake them.
        self._starting = 0
        self._later: deque[Message] = deque()

    def received(self, message: Message) -> None:
        """On the loop. Only an async function may follow one that has not run yet: it has begun when it runs, and
        would be lost to a function that is taken up later and blocks the loop first."""
        if self._later or (self._starting and not self._is_async(message)):
            if not self._later:
                self._loop.call_soon(self._go_on)
            self._later.append(message)
        else:
            self._take_up(message)

    def _go_on(self) -> None:
        while self._later and (not self._starting or self._is_async(self._later[0])):
            self._take_up(self._later.popleft())
        if self._later:
            self._loop.call_soon(self._go_on)

    def _is_async(self, message: Message) -> bool:
        function = self._functions.get(message[2]) if message[0] == CALL else None
        return function is not None and function.is_async and function.kind not in _HANDLES

    def _take_up(self, message: Message) -> None:
        if message[0] == CALL:
            self._begin(message)
        elif message[0] == TURNS:
            self._take_turns(message[1])
        elif message[0] == SIGNALLED:
            self._signalled(message[1], message[2])
        elif message[0] == REPLY:
            self._answered(message)
        elif message[0] == CANCEL:
            self._cancel(message[1])

    def ask(self, *request: Any) -> asyncio.Future[tuple[int, bytes]]:
        """One call of the durable management API; on the loop. `request`: method, path, query, headers, body.

        The answer is its status and body.
        """
        self._questions += 1
        answer: asyncio.Future[tuple[int, bytes]] = self._loop.create_future()
        self._asked[self._questions] = answer
        self._sender.send((ASK, self._questions, *request))
        return answer

    def signal(self, signal: tuple[str, str, str, str]) -> asyncio.Future[int]:
        """Tell an entity something; on the loop. `signal`: its name and key, the operation, JSON text of the input.

        The answer is a status. What is told in one turn of the loop goes to the host together.
        """
        self._questions += 1
        answer: asyncio.Future[int] = self._loop.create_future()
        self._signals[self._questions] = answer
        self._sender.post(SIGNALS, (self._questions, *signal))
        return answer

    def close(self) -> None:
        self._threads.close()

    def _begin(self, message: Message) -> None:
        _, number, name, invocation_id, trace, retry, payload = message
        function = self._functions.get(name)
        is_task = self._is_async(message)
        if not is_task and not self._is_ours(number):
            return
        if function is None:
            self._send(failed(number, LookupError(f"the app has no function {name!r} any more")))
            return
        run = Invocation(
            function.name,
            function.directory,
            invocation_id,
            _NO_RETRY if retry is None else _retry(name, *retry),
            trace,
        )
        if function.kind in _HANDLES:
            if function.kind != "entityTrigger":
                # It may take long: what is done need not wait for it. Entities are many, and the outbox sees to it.
                self._sender.flush()
            self._progress.handling = number
            self._send(contextvars.copy_context().run(_handled, number, function, payload, run))
            self._progress.handling = 0
        elif is_task:
            self._starting += 1
            task = self._loop.create_task(self._await(number, function, payload, run))
            if not task.done():
                self._running[number] = task
                task.add_done_callback(partial(self._never_ran, number))
        else:
            self._running[number] = None
            self._threads.start(number, function, payload, run)

    def _take_turns(self, turns: list[tuple[int, str, str, Payload]]) -> None:
        """Calls of entities, one after another."""
        progress = self._progress
        for number, name, invocation_id, payload in turns:
            if not self._is_ours(number):
                continue
            function = self._functions.get(name)
            if function is None:
                self._send(failed(number, LookupError(f"the app has no function {name!r} any more")))
                continue
            run = Invocation(function.name, function.directory, invocation_id, _NO_RETRY)
            progress.handling = number
            answer = contextvars.copy_context().run(_turned, number, function, payload, run)
            progress.handling = 0
            if answer[0] == FAILED:
                self._send(answer)
            else:
                self._sender.post(TURNED, (number, answer))

    def _is_ours(self, number: int) -> bool:
        """Note that it begins, unless the host has given it to another worker."""
        self._progress.begun = number
        if self._progress.is_taken_back(number):
            self._sender.send((SKIPPED, number))
            return False
        return True

    def _never_ran(self, number: int, task: asyncio.Task[None]) -> None:
        """The app cancelled the task before its first step."""
        if self._running.get(number) is task:
            del self._running[number]
            self._starting -= 1
            self._progress.begun = max(self._progress.begun, number)
            self._send(failed(number, asyncio.CancelledError()))

    async def _await(self, number: int, function: LoadedFunction, payload: Payload, run: Invocation) -> None:
        self._starting -= 1
        # It may block the loop: what is done need not wait for it.
        self._sender.flush()
        if not self._is_ours(number):
            self._running.pop(number, None)
            return
        current.set(run)
        run.thread_local_storage.invocation_id = run.invocation_id
        try:
            arguments, outs = arguments_of(function, payload, run, self._clients)
            message = done(number, function, await function.call(**arguments), outs)
        except BaseException as error:
            message = failed(number, error)
        self._running.pop(number, None)
        self._send(message)

    def _in_thread(self, number: int, function: LoadedFunction, payload: Payload, run: Invocation) -> None:
        message = contextvars.copy_context().run(_called, number, function, payload, run, self._clients)
        self._running.pop(number, None)
        self._send(message)

    def _send(self, message: Message) -> None:
        try:
            self._sender.send(message)
        except ValueError as error:
            self._sender.send(failed(message[1], error))

    def _cancel(self, number: int) -> None:
        """The host waits no longer. HELD tells it that the function goes on all the same."""
        task = self._running.get(number)
        if task is not None:
            task.cancel()
            self._loop.call_later(_CANCEL_SECONDS, self._tell_if_held, number)
        elif number not in self._running or self._threads.take_back(number):
            self._running.pop(number, None)
            self._sender.send((SKIPPED, number))
        else:
            self._sender.send((HELD, number))

    def _tell_if_held(self, number: int) -> None:
        if number in self._running:
            self._sender.send((HELD, number))

    def _answered(self, message: Message) -> None:
        _, question, status, body = message
        if question in self._signals:
            self._signalled(status, [question])
            return
        answer = self._asked.pop(question, None)
        if answer is not None and not answer.done():
            answer.set_result((status, body))

    def _signalled(self, status: int, questions: list[int]) -> None:
        for question in questions:
            answer = self._signals.pop(question, None)
            if answer is not None and not answer.done():
                answer.set_result(status)


def _turned(number: int, function: LoadedFunction, payload: Payload, run: Invocation) -> tuple[Any, ...]:
    """The entity's answer as a value, or the message of its failure."""
    from functions_host.worker import entities

    current.set(run)
    try:
        return ("entity", *entities.run(function, payload))
    except BaseException as error:
        return failed(number, error)


def _handled(number: int, function: LoadedFunction, payload: Payload, run: Invocation) -> Message:
    current.set(run)
    try:
        if payload[0] == "entity":
            from functions_host.worker import entities

            return (DONE, number, ("entity", *entities.run(function, payload)), {})
        answer = function.call(OrchestrationContext(payload[1]))
        return (DONE, number, ("plain", "string", answer if isinstance(answer, str) else str(answer)), {})
    except BaseException as error:
        return failed(number, error)


def _called(number: int, function: LoadedFunction, payload: Payload, run: Invocation, clients: ClientTexts) -> Message:
    current.set(run)
    storage = run.thread_local_storage
    storage.invocation_id = run.invocation_id
    try:
        arguments, outs = arguments_of(function, payload, run, clients)
        return done(number, function, function.call(**arguments), outs)
    except BaseException as error:
        return failed(number, error)
    finally:
        storage.invocation_id = None


def _retry(name: str, count: int, most: int, failure: str | None) -> RetryContext:
    return RetryContext(count, most, None if failure is None else RpcException(name, "", failure))
