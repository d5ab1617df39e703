"""Idle time-outs both ways: empty frames for a peer that wants to hear from us, an end for a silent one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# A peer that has not opened its connection by then never will.
_HANDSHAKE_SECONDS = 15.0


class Heartbeat:
    """The clocks of one connection. The connection notes when it last sent and received."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        idle_timeout_ms: int,
        send_empty: Callable[[], None],
        give_up: Callable[[float], None],
    ) -> None:
        self.last_received = self.last_sent = loop.time()
        self._loop = loop
        # Twice what is advertised: peers may send just before it ends.
        self._patience = idle_timeout_ms / 500
        self._allowed = min(self._patience, _HANDSHAKE_SECONDS)
        self._send_empty = send_empty
        self._give_up = give_up
        self._send_every: float | None = None
        self._opened = False
        self._began = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._check()

    def opened(self, peer_timeout_ms: int | None) -> None:
        """The connection is open; the peer wants a frame within its time-out, if it has one."""
        self._opened = True
        self._allowed = self._patience
        if peer_timeout_ms:
            self._send_every = peer_timeout_ms / 2000
        self.stop()
        self._check()

    def _check(self) -> None:
        now = self._loop.time()
        # A peer that never opens its connection is not kept by a byte now and then.
        left = (self.last_received if self._opened else self._began) + self._allowed - now
        if left <= 0:
            self._give_up(self._allowed)
            return
        if self._send_every is not None:
            due = self.last_sent + self._send_every - now
            if due <= 0:
                self._send_empty()
                due = self._send_every
            left = min(left, due)
        self._timer = self._loop.call_later(max(left, 0.005), self._check)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
