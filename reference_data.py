"""The registry and the zones as their files say at the moment: changed files are picked up without a restart.

A file that is broken, or gone after it was there, is reported once and its last good content stays in force. A file
that was never there means that there is no registry, or are no zones.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from observability import log
from settings import get_settings
from telemetry.registry import Registry
from telemetry.zones import Zones

T = TypeVar("T")

CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class ReferenceData:
    registry: Registry | None
    zones: Zones | None


class WatchedFile(Generic[T]):
    """The parsed content of a file, looked at again at most once a second, from any thread.

    ``parse`` takes the bytes and raises ``ValueError`` for what it cannot read.
    """

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes], T],
        *,
        check_seconds: float = CHECK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._parse = parse
        self._check_seconds = check_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._next_check = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._value: T | None = None
        self.problem: str | None = None
        """Why the file as it is now is not in force; None when it is, or was never there."""

    def get(self) -> T | None:
        if self._clock() < self._next_check:
            return self._value
        with self._lock:
            if self._clock() >= self._next_check:
                self._check()
                self._next_check = self._clock() + self._check_seconds
            return self._value

    def _check(self) -> None:
        try:
            status = self._path.stat()
            found = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            found = None
        if found == self._seen:
            return
        # Remembered whatever comes of it: a broken file is reported once, not every second.
        self._seen = found
        try:
            self._value = self._parse(self._path.read_bytes())
        except (OSError, ValueError) as error:
            said = str(error.strerror) if isinstance(error, OSError) else str(error)
            in_force = "nothing is in force" if self._value is None else "the last good content stays in force"
            self.problem = f"{self._path.name} is not taken over, {in_force}: {said}"
            log(
                logging.ERROR,
                "file not taken over; the last good content stays",
                file=self._path.name,
                error=str(error),
            )
        else:
            self.problem = None
            log(logging.INFO, "file read", file=self._path.name)


@functools.cache
def _files() -> tuple[WatchedFile[Registry], WatchedFile[Zones]]:
    settings = get_settings()
    return WatchedFile(settings.registry_file, Registry.parse), WatchedFile(settings.zones_file, Zones.parse)


def get_reference_data() -> ReferenceData:
    """What is in force now."""
    registry, zones = _files()
    return ReferenceData(registry.get(), zones.get())


def reference_problem(name: str) -> str | None:
    """Why the file of ``registry`` or ``zones`` is not in force as it is, in words fit for everybody."""
    get_reference_data()
    registry, zones = _files()
    return registry.problem if name == "registry" else zones.problem
