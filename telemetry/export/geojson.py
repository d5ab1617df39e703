"""One GeoJSON Feature (RFC 7946): a LineString, or a MultiLineString where the track is cut."""

from __future__ import annotations

import orjson

from telemetry.export.points import Cutter, Point, Track, point_of
from telemetry.model import Message


class GeoJsonTrack:
    """A line has two positions or more: a part of one has it twice; a whole track of one is a Point.

    A position's third number is the altitude where the message gives one, else it has two.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._cutter = Cutter(track.gap_seconds)
        self._parts: list[tuple[bytearray, bytearray, int]] = []  # coordinates, times (both without brackets), number

    def begin(self) -> bytes:
        return b""

    def add(self, message: Message) -> bytes:
        point = point_of(message, self._track)
        if point is not None:
            for begins, cut in self._cutter.add(point):
                self._write(begins, cut)
        return b""

    def _write(self, begins: bool, point: Point) -> None:
        if begins:
            self._parts.append((bytearray(), bytearray(), 0))
        coordinates, times, number = self._parts[-1]
        if number:
            coordinates += b","
            times += b","
        place = [point.longitude, point.latitude]
        coordinates += orjson.dumps(place if point.altitude is None else [*place, point.altitude])
        times += b'"%b"' % point.time.encode()
        self._parts[-1] = coordinates, times, number + 1

    def end(self) -> bytes:
        """All of it: what kind of geometry it is turns out at the end."""
        name = orjson.dumps(self._track.name)
        geometry, times = self._geometry()
        pieces = (b'{"type":"Feature","id":', name, b',"geometry":', geometry, b',"properties":{"id":', name)
        return b"".join((*pieces, b',"times":', times, b"}}"))

    def _geometry(self) -> tuple[bytes, bytes]:
        if not self._parts:
            return b"null", b"[]"
        if len(self._parts) > 1:
            lines = b",".join(b"[" + _twice(coordinates, number) + b"]" for coordinates, _, number in self._parts)
            times = b",".join(b"[" + _twice(of_line, number) + b"]" for _, of_line, number in self._parts)
            return b'{"type":"MultiLineString","coordinates":[' + lines + b"]}", b"[" + times + b"]"
        coordinates, of_line, number = self._parts[0]
        if number == 1:
            return b'{"type":"Point","coordinates":' + bytes(coordinates) + b"}", b"[" + bytes(of_line) + b"]"
        line = bytes(coordinates)
        return b'{"type":"LineString","coordinates":[' + line + b"]}", b"[" + bytes(of_line) + b"]"


def _twice(text: bytearray, number: int) -> bytes:
    return bytes(text + b"," + text) if number == 1 else bytes(text)
