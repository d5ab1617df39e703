"""Takes connections from the listening socket, and stays useful when descriptors run out.

asyncio's own listener tries as often as its backlog is long when it cannot accept, logs each time, and starts as many
new attempts a second later: a few hundred open connections make hundreds of thousands of lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Callable

logger = logging.getLogger("functions_host.http")

_BACKLOG = 512
_AT_ONCE = 32
_PAUSE_SECONDS = 0.1
_LINE_SECONDS = 30.0
_MOST = 10_000
# Files, hub and workers need the rest of what the process may open.
_SHARE = 0.6
_OUT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """`make` builds a connection's protocol; `count` says how many are open; `shed` closes some that do nothing."""

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], asyncio.BaseProtocol],
        count: Callable[[], int],
        shed: Callable[[], int],
    ) -> None:
        self._listener = listener
        self._make = make
        self._count = count
        self._shed = shed
        self._most = most_connections()
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._said = float("-inf")

    def start(self) -> None:
        """Raises OSError if the socket cannot listen."""
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener.fileno(), self._ready)

    def stop(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener.fileno())
        if self._paused is not None:
            self._paused.cancel()
        self._listener.close()

    def _ready(self) -> None:
        for _ in range(_AT_ONCE):
            if self._count() + len(self._connecting) >= self._most:
                self._wait(f"{self._most} connections are open, the most for the files this process may open")
                return
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT:
                    raise
                self._wait(f"no connection can be taken ({error.strerror})")
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._connect(connection))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError as error:
            connection.close()
            logger.debug("a connection was lost before it was made: %s", error)

    def _wait(self, why: str) -> None:
        """Take no more for a moment, and make room by closing what does nothing."""
        closed = self._shed()
        now = self._loop.time()
        if now - self._said > _LINE_SECONDS:
            self._said = now
            logger.warning("HTTP: %s; new ones wait, and of those that do nothing the oldest are closed", why)
        logger.debug("HTTP: %d idle connections were closed", closed)
        self._loop.remove_reader(self._listener.fileno())
        self._paused = self._loop.call_later(_PAUSE_SECONDS, self._again)

    def _again(self) -> None:
        self._paused = None
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._ready)


def most_connections() -> int:
    """How many connections leave enough descriptors for everything else."""
    try:
        import resource
    except ImportError:  # Windows
        return _MOST
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return _MOST
    used = 32
    with contextlib.suppress(OSError):
        used = len(os.listdir("/dev/fd"))
    return max(8, min(_MOST, int((soft - used) * _SHARE)))
