"""What the worker says, from whichever thread: on the loop many messages in one write, from elsewhere at once."""

from __future__ import annotations

import asyncio
import os
import socket
import threading

from functions_host.channel import Message, packed


class Outbox:
    """The socket blocks: a host that is behind slows its workers down. One that is gone ends them."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = sock
        self._loop = loop
        self._process = os.getpid()
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []

    def send(self, message: Message) -> None:
        """Raises ValueError for a message that cannot be packed; nothing of it has been sent then."""
        data = packed(message)
        if threading.get_ident() != self._thread:
            self._write(data)
            return
        self._waiting.append(data)
        if len(self._waiting) == 1:
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """On the loop: write what waits now, as before a function that may take long."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write(b"".join(waiting))

    def _write(self, data: bytes) -> None:
        if os.getpid() != self._process:
            # A function forked, and this is its child come back from it: the answer is its parent's to give.
            os._exit(0)
        try:
            with self._lock:
                self._socket.sendall(data)
        except OSError:
            os._exit(1)
