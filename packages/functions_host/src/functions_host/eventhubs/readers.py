"""Who else on this machine reads the same Event Hub with the same consumer group.

Each host keeps its own checkpoints, and no lease parts the partitions between two: both get every event. Each says so
when it finds the other. A reader shows by a file that it holds a lock on, which ends with its process, however that
ends. Hosts on different machines do not see each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Reader:
    """A host: its process and its data folder."""

    pid: int
    data_dir: str


class ReaderMark:
    """Shows, until `close`, that this process reads `namespace`'s `hub` with `group`; finds who else does."""

    def __init__(self, namespace: str, hub: str, group: str, data_dir: Path, folder: Path | None = None) -> None:
        key = hashlib.sha256("\n".join((namespace, hub, group)).lower().encode()).hexdigest()[:24]
        self._folder = folder or Path(tempfile.gettempdir()) / f"functions-host-{_user()}" / "readers"
        self._prefix = f"{key}."
        self._reader = Reader(os.getpid(), str(data_dir))
        self._file: IO[str] | None = None

    def show(self) -> None:
        """Without a file to lock, or a place for it, nobody is told: reading matters more."""
        if fcntl is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Its own name for each function of a host: two of its functions on one group are others to each other.
            name = f"{self._prefix}{os.getpid()}.{os.urandom(4).hex()}"
            self._file = open(self._folder / name, "w", encoding="utf-8")  # noqa: SIM115
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            json.dump([self._reader.pid, self._reader.data_dir], self._file)
            self._file.flush()

    def others(self) -> list[Reader]:
        """Hosts with other data folders; marks that ended processes left are removed."""
        found = []
        with contextlib.suppress(OSError):
            for path in sorted(self._folder.glob(f"{self._prefix}*")):
                reader = _look(path)
                if reader is not None and reader.pid != self._reader.pid and reader not in found:
                    found.append(reader)
        return found

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                Path(self._file.name).unlink(missing_ok=True)
                self._file.close()
            self._file = None


def _look(path: Path) -> Reader | None:
    if fcntl is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                pid, data_dir = json.load(file)
                return Reader(int(pid), str(data_dir))
            path.unlink(missing_ok=True)
    except (OSError, ValueError, TypeError):
        return None
    return None


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"
