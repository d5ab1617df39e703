"""Recorded flights: what kind a file is, and its messages in the order in which they were flown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._-]+")


class UnreadableFile(ValueError):
    """The file is none that can be read here, or lacks what is needed; the text says file, place and what to do."""


class Row(NamedTuple):
    """One moment of a flight: seconds since the epoch (None: it says none), our JSON message without ``timestamp``."""

    at: float | None
    message: dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What the user says of a file that the file itself does not."""

    device_id: str | None = None
    utc_offset_minutes: int | None = None
    day_first: bool = False

    def device_of(self, path: Path, serial: str | None = None) -> str:
        """As told, else the aircraft's serial number, else the file's name."""
        return self.device_id or serial or named_after(path)


Reader = Callable[[Path, Options], Iterator[Row]]


def named_after(path: Path) -> str:
    """A device id made of the file's name."""
    return _NOT_IN_AN_ID.sub("-", path.stem).strip("-._")[:64] or "flight"


def reader_of(path: Path) -> Reader | None:
    """The reader for a file by its name and head; None for a ``.tlog``, which is played. Raises UnreadableFile."""
    from gateway.files import flight_csv, gpx, json_lines

    if path.suffix.lower() == ".tlog":
        return None
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return json_lines.rows
    if text[:1] == b"<":
        return gpx.rows
    if flight_csv.is_flight_log(text):
        return flight_csv.rows
    raise UnreadableFile(
        f"{path} is none of: DJI flight record as CSV (columns OSD.latitude ...), Airdata CSV (columns datetime(utc) "
        "...), GPX, JSON lines, .tlog"
    )
