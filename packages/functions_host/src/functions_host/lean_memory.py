"""Memory that is free goes back to the system.

glibc keeps an arena of memory a thread, and what became free in the middle of one stays with the process: a burst of
large batches leaves holes in all of them, and the next one in others. Measured over bursts in five minutes: 43 MiB in
use throughout, while what was free grew from 0 to 68 MiB. Other C libraries have no such arenas and are left alone.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any

TRIM_SECONDS = 30.0
ARENAS = 2
_M_ARENA_MAX = -8


def keep_lean() -> bool:
    """From now on, and for threads that start later; whether anything is done. ``MALLOC_ARENA_MAX`` of whoever starts
    the process has the last word on arenas."""
    library = _glibc()
    if library is None:
        return False
    if "MALLOC_ARENA_MAX" not in os.environ:
        library.mallopt(_M_ARENA_MAX, ARENAS)
    threading.Thread(target=_trim_now_and_then, args=(library,), name="lean-memory", daemon=True).start()
    return True


def _trim_now_and_then(library: Any) -> None:
    wait = threading.Event()
    while True:
        wait.wait(TRIM_SECONDS)
        library.malloc_trim(0)


def _glibc() -> Any:
    """None where the C library is another one."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version.restype = ctypes.c_char_p
        library.malloc_trim.argtypes = [ctypes.c_size_t]
        library.mallopt.argtypes = [ctypes.c_int, ctypes.c_int]
        return library
    except (OSError, AttributeError, TypeError):
        return None
