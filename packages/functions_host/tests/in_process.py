"""An invoker whose worker is this very process: the same messages, packed and unpacked, without a process between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from functions_host.channel import CANCEL, DONE, FAILED, Message, Receiver, packed
from functions_host.clock import CLOCK, Clock
from functions_host.errors import UserError
from functions_host.functions import FunctionInfo, LoadedFunction
from functions_host.invoker import Invoker
from functions_host.payloads import Value
from functions_host.pool.call import Call
from functions_host.worker.runtime import Runtime


class LocalWorkers:
    """The host's side of the pool and the worker's side of the channel at once."""

    def __init__(self, threads: int, clock: Clock) -> None:
        self.begun = 0
        self.handling = 0
        self._clock = clock
        self.said: list[Message] = []
        self.functions: dict[str, LoadedFunction] = {}
        self._calls: dict[int, Call] = {}
        self._loop = asyncio.get_running_loop()
        self.runtime = Runtime(self.functions, self, self, threads=threads, clients={(None, None): "client"})

    def submit(self, call: Call) -> None:
        call.number = len(self._calls) + 1
        call.sent = self._clock.monotonic()
        self._calls[call.number] = call
        self._to_worker(call.message())

    def submit_all(self, calls: Sequence[Call], at_once: int) -> None:
        for call in calls:
            self.submit(call)

    def has_begun(self, call: Call) -> bool:
        return True

    def give_up(self, call: Call) -> None:
        self._to_worker((CANCEL, call.number))

    def is_taken_back(self, number: int) -> bool:
        return False

    def send(self, message: Message) -> None:
        self._loop.call_soon_threadsafe(self._from_worker, packed(message))

    def post(self, kind: int, item: Any) -> None:
        self.send((kind, [item]))

    def flush(self) -> None:
        """Nothing is kept back."""

    def _to_worker(self, message: Message) -> None:
        for received in Receiver().feed(packed(message)):
            self._loop.call_soon(self.runtime.received, received)

    def _from_worker(self, data: bytes) -> None:
        for message in Receiver().feed(data):
            self.said.append(message)
            call = self._calls[message[1]]
            if message[0] == DONE:
                call.succeed((message[2], message[3]))
            elif message[0] == FAILED:
                call.fail(UserError(*message[2:]))


class LocalInvoker(Invoker):
    """Knows each function from its first call. `sent` gets (name, type, value) of every output."""

    def __init__(
        self,
        timeout: float | None = None,
        threads: int = 4,
        sent: list[Any] | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self.workers = LocalWorkers(threads, clock)

        async def write(binding: dict[str, Any], value: Value) -> None:
            assert sent is not None
            assert value is not None
            sent.append((binding["name"], *value[1:]))

        super().__init__(self.workers, timeout=timeout, write_output=write, clock=clock)

    def know(self, *functions: FunctionInfo) -> None:
        for function in functions:
            assert isinstance(function, LoadedFunction)
            self.workers.functions[function.name] = function

    async def invoke(self, function: FunctionInfo, *arguments: Any, **settings: Any) -> Any:
        self.know(function)
        return await super().invoke(function, *arguments, **settings)

    def close(self) -> None:
        super().close()
        self.workers.runtime.close()
