"""One worker process as the host holds it: its sockets, its page, the calls it has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import functions_host
from functions_host.channel import LOAD, Message, Stream
from functions_host.page import Page
from functions_host.pool.call import Call

_PACKAGES = str(Path(functions_host.__file__).resolve().parent.parent)
# Not ``-m``: that would put the working directory before the standard library, where an app's own module could take
# the place of one that the worker needs before the app is there.
_START = (
    "import sys; del sys.path[0]; sys.path.append({packages!r}); "
    "from functions_host.worker.main import main; main(sys.argv[1:])"
)

_LAST_WORDS_SECONDS = 0.5


class State(Enum):
    """LOADING: not yet to be called. STUCK: it takes up no calls. LEAVING: it ends when what it runs has ended."""

    LOADING = "loading"
    READY = "ready"
    STUCK = "stuck"
    LEAVING = "leaving"


class WorkerProcess:
    """Starts with `start`; from then on its messages come in at `received`, and `wait` returns when it is gone."""

    def __init__(self, received: Callable[[WorkerProcess, Message], None]) -> None:
        self._received = received
        self._process: asyncio.subprocess.Process | None = None
        self._calls: Stream | None = None
        self._answers: Stream | None = None
        self._silent = asyncio.Event()
        self.page = Page.make()
        self.state = State.LOADING
        # What it told of itself after loading the app: its functions, or why it cannot start.
        self.loaded: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.calls: dict[int, Call] = {}
        # Calls whose time is over, with the timer that ends the worker if it does not say what became of them.
        self.given_up: dict[int, asyncio.TimerHandle] = {}
        # The number of its last call, and how far it was when last looked at.
        self.sent = 0
        self.seen = 0
        # The call it is ended for.
        self.blamed: Call | None = None

    @property
    def pid(self) -> int:
        return 0 if self._process is None else self._process.pid

    async def start(self, options: dict[str, Any], app_dir: Path) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        heard, said = socket.socketpair()
        with theirs, said:
            handed = (theirs.fileno(), said.fileno(), self.page.descriptor)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _START.format(packages=_PACKAGES), str(os.getpid()), *map(str, handed),
                pass_fds=handed,
                stdin=asyncio.subprocess.DEVNULL,
                cwd=app_dir,
                # Ctrl-C in the terminal reaches the host alone, which then stops things in order.
                start_new_session=True,
            )  # fmt: skip
        for sock in (ours, heard):
            sock.setblocking(False)
        self._calls = Stream(lambda messages: None, lambda: None)
        self._answers = Stream(self._hand_over, self._silent.set)
        await loop.create_connection(lambda: self._require(self._calls), sock=ours)
        await loop.create_connection(lambda: self._require(self._answers), sock=heard)
        self.send((LOAD, options))

    def send(self, message: Message) -> None:
        """Raises ValueError for a message that cannot be packed."""
        self._require(self._calls).send(message)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def wait(self) -> str:
        """Until it is gone; says how it ended."""
        assert self._process is not None
        code = await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            # What it said last may still lie in the socket, whose end a process that it started itself may hold open.
            await asyncio.wait_for(self._silent.wait(), _LAST_WORDS_SECONDS)
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"

    def left_behind(self) -> tuple[list[Call], list[Call]]:
        """When it is gone: the calls that it was running, and those that it had not begun."""
        for timer in self.given_up.values():
            timer.cancel()
        begun = self.page.begun
        waited_for = [call for number, call in self.calls.items() if number not in self.given_up]
        return (
            [call for call in waited_for if call.number <= begun],
            [call for call in waited_for if call.number > begun],
        )

    def close(self) -> None:
        for stream in (self._calls, self._answers):
            if stream is not None:
                stream.close()
        self.page.close()

    def _hand_over(self, messages: list[Message]) -> None:
        for message in messages:
            self._received(self, message)

    @staticmethod
    def _require(stream: Stream | None) -> Stream:
        assert stream is not None
        return stream
