"""SIGINT and SIGTERM: the first asks for an orderly stop, the second ends the process whatever it is doing."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_STOPS = (signal.SIGINT, signal.SIGTERM)


def watch_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, kill: Callable[[], None]) -> None:
    """In the main thread. `kill` is called from another thread, before the process ends with exit code 1.

    Python notes each signal in a pipe as it arrives; a thread of its own reads it, so that neither a blocked loop nor
    a lock that somebody holds can keep the second one from being heard.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _STOPS:
        signal.signal(number, _noted)
    threading.Thread(target=_listen, args=(reader, loop, stop, kill), name="signals", daemon=True).start()


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing to do here: that there is a handler is what has the signal noted."""


def _listen(reader: int, loop: asyncio.AbstractEventLoop, stop: asyncio.Event, kill: Callable[[], None]) -> None:
    heard = 0
    while data := os.read(reader, 64):
        for number in data:
            if number not in _STOPS:
                continue
            heard += 1
            if heard == 1:
                loop.call_soon_threadsafe(stop.set)
                continue
            os.write(2, b"stopped at once by a second signal\n")
            try:
                kill()
            finally:
                os._exit(1)
