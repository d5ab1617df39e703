"""The registry and the zones in force: what the store says once somebody has changed it there, until then the files.

The store is asked every few seconds whether anything has changed (``refresh``), so a change is in force in every
process soon after. Changed files are picked up without a restart as long as the store has nothing.

A file that is broken, or gone after it was there, is reported once and its last good content stays in force. A file
that was never there means that there is no registry, or are no zones.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from observability import log
from pipeline.ports import Store, StoreUnavailable, ZonesVersion
from settings import get_settings
from telemetry.registry import Registry
from telemetry.zones import Zones

T = TypeVar("T")

CHECK_SECONDS = 1.0
REFRESH_SECONDS = 5.0


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


@dataclass(frozen=True)
class Kept:
    """What the store says. None: it says nothing, and the file is in force. ``versions``: of each registration."""

    revision: str = ""
    zones_version: ZonesVersion | None = None
    zones: Zones | None = None
    registry: Registry | None = None
    versions: Mapping[str, int] = field(default_factory=dict)


_kept = Kept()
_asked_at = float("-inf")


def get_kept() -> Kept:
    """What the store said last."""
    return _kept


def get_reference_data() -> ReferenceData:
    """What is in force now, as far as the store was last asked."""
    registry, zones = _files()
    return ReferenceData(
        registry.get() if _kept.registry is None else _kept.registry,
        zones.get() if _kept.zones is None else _kept.zones,
    )


async def refresh(store: Store, *, at_once: bool = False) -> None:
    """Ask the store what has changed, at most every ``REFRESH_SECONDS`` (``at_once``: now). A store that cannot be
    asked leaves in force what was."""
    global _kept, _asked_at
    if not at_once and time.monotonic() < _asked_at + REFRESH_SECONDS:
        return
    _asked_at = time.monotonic()
    try:
        revision = await store.reference.revision()
        if revision == _kept.revision:
            return
        version, records = await store.reference.zones(), await store.reference.registry()
    except StoreUnavailable as error:
        if at_once:
            raise
        log(logging.WARNING, "cannot tell whether zones or registry have changed", error=str(error))
        return
    _kept = Kept(
        revision,
        version,
        None if version is None else Zones.parse(version.document),
        None if records is None else Registry({str(one.registration["id"]): one.registration for one in records}),
        {} if records is None else {str(one.registration["id"]): one.version for one in records},
    )
    log(logging.INFO, "zones and registry of the store are in force", revision=revision)


def forget() -> None:
    """As if the process had just started."""
    global _kept, _asked_at
    _kept, _asked_at = Kept(), float("-inf")
    _files.cache_clear()


def reference_problem(name: str) -> str | None:
    """Why the file of ``registry`` or ``zones`` is not in force as it is, in words fit for everybody."""
    get_reference_data()
    registry, zones = _files()
    if name == "registry":
        return None if _kept.registry is not None else registry.problem
    return None if _kept.zones is not None else zones.problem
