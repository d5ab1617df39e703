"""What the worker says, from whichever thread: on the loop many messages in one write, from elsewhere at once.

What a function that blocks the loop leaves waiting is written by a thread: it does not wait for that function's end.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from typing import Any

from functions_host.channel import Message, packed

# So long at most, about, what is said on the loop waits for the loop.
_LATE_SECONDS = 0.02
_IDLE_LOOKS = 50


class Outbox:
    """The socket blocks: a host that is behind slows its workers down. One that is gone ends them."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = sock
        self._loop = loop
        self._process = os.getpid()
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        # Items that go in one message of each kind.
        self._posted: dict[int, list[Any]] = {}
        self._flush_is_due = False
        self._busy = threading.Event()
        self._flushes = 0
        threading.Thread(target=self._flush_late, name="outbox", daemon=True).start()

    def send(self, message: Message) -> None:
        """Raises ValueError for a message that cannot be packed; nothing of it has been sent then."""
        data = packed(message)
        if threading.get_ident() != self._thread:
            self._write(data)
            return
        with self._lock:
            self._waiting.append(data)
            due, self._flush_is_due = self._flush_is_due, True
        if not due:
            self._flush_soon()

    def post(self, kind: int, item: Any) -> None:
        """On the loop: say something plain of which there are many at once: ``(kind, [item, …])``."""
        with self._lock:
            items = self._posted.get(kind)
            if items is None:
                self._posted[kind] = [item]
            else:
                items.append(item)
            due, self._flush_is_due = self._flush_is_due, True
        if not due:
            self._flush_soon()

    def _flush_soon(self) -> None:
        self._loop.call_soon(self.flush)
        if not self._busy.is_set():
            self._busy.set()

    def flush(self) -> None:
        """Write what waits now, as before a function that may take long."""
        if self._flush_is_due:
            self._write(b"")

    def _flush_late(self) -> None:
        while True:
            self._busy.wait()
            self._busy.clear()
            idle = 0
            while idle < _IDLE_LOOKS:
                seen = self._flushes
                time.sleep(_LATE_SECONDS)
                if seen != self._flushes:
                    idle = 0
                elif self._flush_is_due:
                    self.flush()
                else:
                    idle += 1

    def _write(self, data: bytes) -> None:
        if os.getpid() != self._process:
            # A function forked, and this is its child come back from it: the answer is its parent's to give.
            os._exit(0)
        try:
            with self._lock:
                waiting, self._waiting = self._waiting, []
                if self._posted:
                    waiting += [packed(posted) for posted in self._posted.items()]
                    self._posted = {}
                self._flush_is_due = False
                self._flushes += 1
                if waiting or data:
                    self._socket.sendall(b"".join([*waiting, data]) if waiting else data)
        except OSError:
            os._exit(1)
