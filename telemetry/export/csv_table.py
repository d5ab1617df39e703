"""A table (RFC 4180): a row per message, a column per field, named as its JSON path with the unit."""

from __future__ import annotations

import csv
import io
from typing import Any

from telemetry.export.points import Track
from telemetry.fields import FIELDS
from telemetry.model import Message

_FIELDS = tuple((f"{field.path}_{field.unit}" if field.unit else field.path, field.path) for field in FIELDS)
_DERIVED = (
    ("derived.zones", "derived.zones"),
    ("derived.outsideGeofence", "derived.outsideGeofence"),
    ("derived.altitudeLimitExceeded", "derived.altitudeLimitExceeded"),
    ("derived.distanceFromHome_m", "derived.distanceFromHome"),
)
_PLACE = ("enqueuedAt", "partition", "sequenceNumber", "index", "batchId", "id")
COLUMNS = (
    *((name, name) for name in ("time", "deviceId", "timeSource", "format", "keyFrame")),
    *_FIELDS,
    ("flightModeNumber", "flightModeNumber"),
    *_DERIVED,
    ("alerts", "alerts"),
    ("flags", "flags"),
    *((name, name) for name in _PLACE),
)
"""Column and JSON path."""
_PATHS = tuple(path.split(".") for _, path in COLUMNS)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes a cell that begins so for a formula, quoted or not, and runs it."""


class CsvTable:
    """Empty where a message does not say; several values in one cell are separated by blanks. Text that a spreadsheet
    would run has an apostrophe before it: devices write it, people open it."""

    def __init__(self, track: Track) -> None:
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, lineterminator="\r\n")

    def begin(self) -> bytes:
        return self._row([name for name, _ in COLUMNS])

    def add(self, message: Message) -> bytes:
        return self._row([_cell(message, path) for path in _PATHS])

    def end(self) -> bytes:
        return b""

    def _row(self, cells: list[Any]) -> bytes:
        self._writer.writerow(cells)
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text.encode()


def _cell(message: Any, path: list[str]) -> Any:
    value: Any = message.get(path[0])
    if len(path) > 1 and value is not None:
        value = value.get(path[1])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = " ".join(item["code"] if isinstance(item, dict) else str(item) for item in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
