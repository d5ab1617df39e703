"""A worker ends with its host, whatever it is doing and however the host ended."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading

_PR_SET_PDEATHSIG = 1


def end_with_host(host: int, calls: socket.socket) -> None:
    """`host`: the process id that started this one. `calls`: the socket whose other end the host holds."""
    if sys.platform == "linux":
        import ctypes

        # Kills even a worker whose code never lets go of the interpreter's lock.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:
        os._exit(1)
    threading.Thread(target=_wait, args=(calls.fileno(),), name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    poll = select.poll()
    # Nothing is asked for, so that only what cannot be left out wakes it: the other end is closed.
    poll.register(descriptor, 0)
    poll.poll()
    os._exit(1)
