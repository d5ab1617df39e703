"""The hubs of one data folder: `DATA/<hub>/hub.json` and `DATA/<hub>/<partition>/`."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .annotations import render
from .log.files import FolderLock
from .log.mark import MarkFile
from .log.options import LogOptions, wall_clock_ms
from .log.partition_log import PartitionLog
from .message import Event
from .partition_key import partition_of

_LOGGER = logging.getLogger(__name__)
# The limit of Event Hubs' dedicated tier.
MAX_PARTITIONS = 1024
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,254}[A-Za-z0-9])?")


class HubConfigError(Exception):
    """A hub's name or number of partitions that cannot be."""


def parse_hub(text: str) -> tuple[str, int]:
    """Read `NAME:PARTITIONS` (or `NAME`, 4 partitions). Raises HubConfigError."""
    name, colon, count = text.partition(":")
    if colon and not (count.isascii() and count.isdigit()):
        raise HubConfigError(f"hub {text!r}: expected NAME:PARTITIONS")
    partitions = int(count) if colon else 4
    check_hub(name, partitions)
    return name, partitions


def check_hub(name: str, partitions: int) -> None:
    """Raise HubConfigError unless a hub may be called that and have that many partitions."""
    if not _NAME.fullmatch(name):
        raise HubConfigError(
            f"hub {name!r}: a name is 1 to 256 of letters, digits and (not first or last) '.', '-', '_'"
        )
    if not 1 <= partitions <= MAX_PARTITIONS:
        raise HubConfigError(f"hub {name!r}: 1 to {MAX_PARTITIONS} partitions, not {partitions}")


class Hub:
    """One event hub."""

    def __init__(self, name: str, created_ms: int, partitions: list[PartitionLog[Event]], marks: MarkFile) -> None:
        self.name = name
        self.created_ms = created_ms
        self.partitions = partitions
        self._marks = marks
        self._next = 0
        self._by_id = {str(number): log for number, log in enumerate(partitions)}

    def partition(self, partition_id: str) -> PartitionLog[Event] | None:
        """The partition with this id, or None."""
        return self._by_id.get(partition_id)

    def close(self) -> None:
        for log in self.partitions:
            log.close()
        self._marks.close()

    def route(self, partition_key: str | None) -> PartitionLog[Event]:
        """The partition of a send that names none: by its key, or else the next in turn."""
        if partition_key is not None:
            return self.partitions[partition_of(partition_key, len(self.partitions))]
        self._next = (self._next + 1) % len(self.partitions)
        return self.partitions[self._next]


class Hubs:
    """All hubs of a data folder, which this process owns until `close`."""

    def __init__(self, folder: Path, wanted: Mapping[str, int], options: LogOptions) -> None:
        """Open the hubs that the folder holds and create those in `wanted` (name to number of partitions).

        Raises HubConfigError, log.files.DataLockedError, or log.segment.CorruptSegmentError.
        """
        for name, partitions in wanted.items():
            check_hub(name, partitions)
        self._lock = FolderLock(folder)
        self._hubs: dict[str, Hub] = {}
        try:
            names = {name.lower(): name for name in wanted}
            for path in sorted(folder.glob("*/hub.json")):
                names.setdefault(path.parent.name, path.parent.name)
            for key, name in names.items():
                self._hubs[key] = _open_hub(folder / key, name, wanted.get(name), options)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Hub]:
        return iter(self._hubs.values())

    def find(self, name: str) -> Hub | None:
        """The hub with this name, in any case, or None."""
        return self._hubs.get(name.lower())

    def drop_expired(self) -> None:
        """Apply retention to every partition."""
        for hub in self._hubs.values():
            for log in hub.partitions:
                log.drop_expired()

    def close(self) -> None:
        for hub in self._hubs.values():
            hub.close()
        self._lock.close()


def _open_hub(folder: Path, name: str, wanted: int | None, options: LogOptions) -> Hub:
    path = folder / "hub.json"
    if path.exists():
        name, created, partitions = _read_description(path, name)
        if wanted is not None and wanted < partitions:
            raise HubConfigError(
                f"hub {name!r} has {partitions} partitions, and their number can only grow, not become {wanted}"
            )
        if wanted is not None and wanted > partitions:
            _LOGGER.info("hub %s: %d partitions become %d", name, partitions, wanted)
            partitions = wanted
            _write_description(path, name, created, partitions)
    else:
        created, partitions = wall_clock_ms(), wanted or 4
        folder.mkdir(parents=True, exist_ok=True)
        _write_description(path, name, created, partitions)
    marks = MarkFile(folder / "marks", partitions)
    logs = [
        PartitionLog(folder / str(number), f"hub {name} partition {number}", render, options, mark=marks.mark(number))
        for number in range(partitions)
    ]
    return Hub(name, created, logs, marks)


def _read_description(path: Path, name: str) -> tuple[str, int, int]:
    """(name, creation time, partitions) of a hub. What the file has lost is told by the folder: it has them all."""
    folder = path.parent
    numbers = [int(item.name) for item in folder.iterdir() if item.name.isascii() and item.name.isdigit()]
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        found, created, partitions = stored["name"], stored["created_ms"], stored["partitions"]
        whole = found.lower() == folder.name and type(created) is type(partitions) is int and partitions >= 1
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if whole and (not numbers or partitions == max(numbers) + 1):
        return found, created, partitions
    if whole:
        # Partitions are never removed, and each has its folder since the hub was first opened with it.
        name, partitions = found, max(numbers) + 1
    else:
        partitions, created = (max(numbers) + 1 if numbers else 4), int(path.stat().st_mtime * 1000)
    _LOGGER.error("%s is damaged: hub %s is taken to have %d partitions, as its folder says", path, name, partitions)
    path.replace(path.with_suffix(".damaged"))
    _write_description(path, name, created, partitions)
    return name, created, partitions


def _write_description(path: Path, name: str, created_ms: int, partitions: int) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(
        json.dumps({"name": name, "created_ms": created_ms, "partitions": partitions}), encoding="utf-8"
    )
    os.replace(temporary, path)
