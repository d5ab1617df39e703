"""KML 2.2: a Placemark with its time span for each part of the track."""

from __future__ import annotations

from telemetry.export.points import Cutter, Point, Track, point_of
from telemetry.export.xml_text import decimal, text
from telemetry.model import Message

_CLAMPED, _RELATIVE, _ABSOLUTE = "clampToGround", "relativeToGround", "absolute"


class KmlTrack:
    """Heights above the take-off point are drawn above the ground, altitudes above the sea as they are; of altitudes
    above the ellipsoid KML knows nothing. A part's first point decides for all of it."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._cutter = Cutter(track.gap_seconds)
        self._points: list[str] = []
        self._mode = _CLAMPED
        self._last_z = 0.0
        self._from = self._to = ""

    def begin(self) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'
            f"<Document><name>{text(self._track.name)}</name>\n"
        ).encode()

    def add(self, message: Message) -> bytes:
        point = point_of(message, self._track)
        if point is None:
            return b""
        return "".join(self._write(begins, cut) for begins, cut in self._cutter.add(point)).encode()

    def _write(self, begins: bool, point: Point) -> str:
        closed = ""
        if begins:
            closed = self._part()
            self._points = []
            self._mode, self._last_z = _mode(point), 0.0
            self._from = point.time
        self._to = point.time
        place = f"{decimal(point.longitude)},{decimal(point.latitude)}"
        if self._mode != _CLAMPED:
            self._last_z = _z(point, self._mode, self._last_z)
            place += f",{decimal(self._last_z)}"
        self._points.append(place)
        return closed

    def _part(self) -> str:
        if not self._points:
            return ""
        kind = "LineString" if len(self._points) > 1 else "Point"
        return (
            f"<Placemark><name>{text(self._track.name)}</name>"
            f"<TimeSpan><begin>{self._from}</begin><end>{self._to}</end></TimeSpan>\n"
            f"<{kind}><altitudeMode>{self._mode}</altitudeMode>\n<coordinates>{' '.join(self._points)}</coordinates>"
            f"</{kind}></Placemark>\n"
        )

    def end(self) -> bytes:
        return (self._part() + "</Document>\n</kml>\n").encode()


def _mode(point: Point) -> str:
    if point.height is not None or (point.altitude is not None and point.reference == "takeoff"):
        return _RELATIVE
    return _ABSOLUTE if point.altitude is not None and point.reference == "msl" else _CLAMPED


def _z(point: Point, mode: str, otherwise: float) -> float:
    if mode == _RELATIVE:
        value = point.height if point.height is not None else point.altitude if point.reference == "takeoff" else None
    else:
        value = point.altitude if point.reference == "msl" else None
    return otherwise if value is None else value
