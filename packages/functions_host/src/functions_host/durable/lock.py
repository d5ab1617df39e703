"""One engine a file: two would run every instance twice."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import IO

from functions_host.errors import StartError

# A host that is being replaced may need this long to let go.
WAIT_SECONDS = 15.0


class StoreInUseError(StartError):
    """Another process runs an engine on this store."""


class StoreLock:
    """Held by a process as long as it lives; the operating system lets go of it at a kill -9."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    async def acquire(self) -> None:
        """Waits a little for a predecessor to end. Raises StoreInUseError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                _lock(self._file)
                return
            except OSError:
                if time.monotonic() >= deadline:
                    self.release()
                    text = f"another host works on {self._path.parent}; each needs a data folder of its own"
                    raise StoreInUseError(text) from None
                await asyncio.sleep(0.05)

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(file: IO[bytes]) -> None:
    """Raises OSError if another process holds it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
