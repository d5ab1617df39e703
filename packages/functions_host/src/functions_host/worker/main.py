"""The life of a worker process: load the app, tell the host what is in it, run calls until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from functions_host import garbage
from functions_host.channel import BEGIN, INDEX, LOAD, REFUSED, SAY, STOP, Message, Stream
from functions_host.described import described
from functions_host.errors import StartError
from functions_host.functions import LoadedFunction, index
from functions_host.lean_memory import keep_lean
from functions_host.limits import thread_count
from functions_host.loader import load_app
from functions_host.logs import set_up_logging
from functions_host.page import Page
from functions_host.selection import Rules, select
from functions_host.worker.lifeline import end_with_host
from functions_host.worker.outbox import Outbox
from functions_host.worker.runtime import Runtime

_LIFESPAN_SECONDS = 1.0


def main(arguments: list[str]) -> None:
    """`arguments`: the host's process id, and the descriptors of calls, answers and the page."""
    keep_lean()
    host, *descriptors = (int(argument) for argument in arguments)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    calls, answers = socket.socket(fileno=descriptors[0]), socket.socket(fileno=descriptors[1])
    end_with_host(host, calls)
    # What an app prints is seen when it prints it, and not lost with the process.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = Worker(loop, calls, answers, Page(descriptors[2]))
    loop.run_until_complete(worker.connect())
    worker.run()


class Worker:
    """`calls` is read on the loop, `answers` written from any thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, calls: socket.socket, answers: socket.socket, page: Page
    ) -> None:
        self._loop = loop
        self._calls = calls
        self._page = page
        self._outbox = Outbox(answers, loop)
        self._functions: dict[str, LoadedFunction] = {}
        self._app: Any = None
        self._threads = 1
        self._runtime: Runtime | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        stream = Stream(self._received, lambda: os._exit(1))
        self._calls.setblocking(False)
        await self._loop.create_connection(lambda: stream, sock=self._calls)

    def run(self) -> None:
        """Until the host says stop. What a task of the app's own lets out ends that task, not the worker."""
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                self._say(logging.ERROR, f"a task of the app's own raised {type(error).__name__}; it is ignored")
            else:
                self._say(logging.ERROR, "the app stopped the worker's event loop; it goes on")

    def _received(self, messages: list[Message]) -> None:
        for message in messages:
            if message[0] == LOAD:
                self._load(message[1])
            elif message[0] == BEGIN:
                self._begin(*message[1:])
            elif message[0] == STOP:
                self._stopping = self._loop.create_task(self._stop())
            elif self._runtime is not None:
                self._runtime.received(message)

    def _load(self, options: dict[str, Any]) -> None:
        set_up_logging(verbose=options["verbose"], as_json=options["json_logs"], levels=options["log_levels"])
        try:
            self._threads = thread_count()
            self._app, found = load_app(Path(options["app_dir"]))
            only = None if options["only"] is None else tuple(options["only"])
            found, left_out = select(found, Rules(only, options["skip_unsupported"]), options["script"])
            functions = index(found, options["script"])
        except StartError as error:
            self._outbox.send((REFUSED, str(error)))
            return
        self._functions = {function.name: function for function in functions}
        garbage.settle()
        self._outbox.send((INDEX, described(functions, left_out)))

    def _begin(self, settings: dict[str, str], clients: list[tuple[Any, ...]], rpc_base_url: str | None) -> None:
        os.environ.update(settings)
        runtime = Runtime(
            self._functions,
            self._outbox,
            self._page,
            threads=self._threads,
            clients={(hub, connection): text for hub, connection, text in clients},
        )
        if rpc_base_url is not None:
            from functions_host.durable.acceleration import (
                install_codec,
                install_executor,
                install_loopback,
                install_signalling,
                install_timestamps,
            )
            from functions_host.worker.durable_clients import DurableClients

            install_timestamps()
            install_executor()
            install_codec()
            asking = DurableClients(runtime, self._loop)
            install_loopback(rpc_base_url, asking)
            install_signalling(rpc_base_url, asking.signal)
        self._runtime = runtime

    async def _stop(self) -> None:
        """Tell an AsgiFunctionApp's application of the end; left to its destructor it would happen in another loop."""
        if getattr(self._app, "startup_task_done", False):
            self._app.startup_task_done = False
            try:
                await asyncio.wait_for(self._app.middleware.notify_shutdown(), _LIFESPAN_SECONDS)
            except BaseException as error:
                self._say(logging.ERROR, f"the ASGI app did not end cleanly: {type(error).__name__}: {error}")
        self._outbox.flush()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        # Threads of functions that never return must not keep the process: the grace they had is over.
        os._exit(0)

    def _say(self, level: int, text: str) -> None:
        self._outbox.send((SAY, level, text))
