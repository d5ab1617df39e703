"""File access by position, the same on every platform, and the lock that keeps a second process off a data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

_BINARY: int = getattr(os, "O_BINARY", 0)


def open_log(path: Path, *, create: bool = False) -> int:
    """Open a segment for reading and writing; return its descriptor."""
    return os.open(path, os.O_RDWR | _BINARY | (os.O_CREAT | os.O_EXCL if create else 0), 0o644)


if sys.platform == "win32":

    def read_at(descriptor: int, size: int, position: int) -> bytes:
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.read(descriptor, size)

    def _write_at(descriptor: int, data: bytes | memoryview, position: int) -> int:
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.write(descriptor, data)

else:
    _write_at = os.pwrite

    def read_at(descriptor: int, size: int, position: int) -> bytes:
        """Read up to `size` bytes at `position`."""
        return os.pread(descriptor, size, position)


def write_all(descriptor: int, data: bytes, position: int) -> None:
    """Write all of `data` at `position`. Raises OSError; what was written by then stays behind."""
    written = _write_at(descriptor, data, position)
    while written < len(data):
        written += _write_at(descriptor, memoryview(data)[written:], position + written)


def sync_folder(folder: Path) -> None:
    """Make the creation of files in `folder` durable, where the platform can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DataLockedError(Exception):
    """Another process serves the data folder."""


class FolderLock:
    """An advisory lock on a folder, released by close and, whatever happens, by the end of the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = open(folder / ".lock", "a+b")  # noqa: SIM115
        try:
            self._acquire()
        except OSError:
            self._file.close()
            raise DataLockedError(f"the data folder {folder} is in use by another Event Hubs emulator") from None

    def _acquire(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            self._file.seek(0)
            msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        self._file.close()
