"""GPX 1.1: one track, a segment for each part of it."""

from __future__ import annotations

from telemetry.export.points import Cutter, Point, Track, point_of
from telemetry.export.xml_text import decimal, text
from telemetry.model import Message

# Longitudes are below 180 in GPX: what lies on the line from the west stays just short of it.
_JUST_BELOW = 179.9999999


class GpxTrack:
    def __init__(self, track: Track) -> None:
        self._track = track
        self._cutter = Cutter(track.gap_seconds)
        self._begun = False

    def begin(self) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<gpx version="1.1" creator="drone telemetry" xmlns="http://www.topografix.com/GPX/1/1">\n'
            f"<trk><name>{text(self._track.name)}</name>\n"
        ).encode()

    def add(self, message: Message) -> bytes:
        point = point_of(message, self._track)
        if point is None:
            return b""
        return "".join(self._write(begins, cut) for begins, cut in self._cutter.add(point)).encode()

    def _write(self, begins: bool, point: Point) -> str:
        opening = ""
        if begins:
            opening = "</trkseg>\n<trkseg>\n" if self._begun else "<trkseg>\n"
            self._begun = True
        longitude = min(point.longitude, _JUST_BELOW)
        elevation = "" if point.altitude is None else f"<ele>{decimal(point.altitude)}</ele>"
        place = f'lat="{decimal(point.latitude)}" lon="{decimal(longitude)}"'
        return f"{opening}<trkpt {place}>{elevation}<time>{point.time}</time></trkpt>\n"

    def end(self) -> bytes:
        return (("</trkseg>\n" if self._begun else "") + "</trk>\n</gpx>\n").encode()
