"""A drone's messages in other people's formats: GeoJSON, CSV, GPX 1.1 and KML 2.2.

An encoder takes the messages one by one, oldest first, and answers bytes as it goes: no format needs them all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from telemetry import times
from telemetry.export.csv_table import CsvTable
from telemetry.export.geojson import GeoJsonTrack
from telemetry.export.gpx import GpxTrack
from telemetry.export.kml import KmlTrack
from telemetry.export.points import Track
from telemetry.model import Message


class Encoder(Protocol):
    """``begin``, ``add`` for each message in the order of the stamps, ``end``: each gives the bytes that follow."""

    def begin(self) -> bytes: ...

    def add(self, message: Message) -> bytes: ...

    def end(self) -> bytes: ...


class Thinning:
    """Keeps at most one message in ``every_seconds``, whichever way the messages are gone through.

    ``last`` is the message time of the one that was kept last.
    """

    def __init__(self, every_seconds: float, last: str | None = None) -> None:
        self._every = round(every_seconds * 1_000_000)
        self.last = last

    def keeps(self, time: str) -> bool:
        if self.last is not None and abs(times.microseconds(time) - times.microseconds(self.last)) < self._every:
            return False
        self.last = time
        return True


class ExportFormat(NamedTuple):
    media_type: str
    make: Callable[[Track], Encoder]


GEO_JSON = "application/geo+json"

FORMATS: Mapping[str, ExportFormat] = {
    "geojson": ExportFormat(GEO_JSON, GeoJsonTrack),
    "csv": ExportFormat("text/csv", CsvTable),
    "gpx": ExportFormat("application/gpx+xml", GpxTrack),
    "kml": ExportFormat("application/vnd.google-earth.kml+xml", KmlTrack),
}
