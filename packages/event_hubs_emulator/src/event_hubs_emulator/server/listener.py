"""Accept connections, and outlast the times when the process has no descriptor left for one."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable

from event_hubs_emulator.throttle import Throttle

_LOGGER = logging.getLogger(__name__)
_BACKLOG = 512
# The kernel, or this process, has too much open or too little memory; both pass.
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class Listener:
    """A listening socket. asyncio's own server logs hundreds of traces a second when descriptors run out."""

    def __init__(self, host: str, port: int, new_protocol: Callable[[], asyncio.Protocol]) -> None:
        """Bind and listen. Raises OSError."""
        self._new_protocol = new_protocol
        self._loop = asyncio.get_running_loop()
        self._socket = _listen(host, port)
        self._throttle = Throttle(60.0)
        self._task = self._loop.create_task(self._accept())

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    async def _accept(self) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            try:
                accepted, _ = await self._loop.sock_accept(self._socket)
                pause = _SHORTEST_PAUSE
            except OSError as error:
                if error.errno in _EXHAUSTED and (missed := self._throttle.admit()) is not None:
                    _LOGGER.warning("cannot accept connections: %s; they wait%s", error, missed)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            with contextlib.suppress(OSError):
                # A peer that is gone by now is none of our business.
                accepted.setblocking(False)
                await self._loop.connect_accepted_socket(self._new_protocol, accepted)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise OSError(f"cannot listen on {host!r:.80}: {error}") from None
    listening = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "AF_UNIX"):
            # On Windows this option would let a second process take the port.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listening
