"""Messages as the points of a track: cut where the drone was silent, and at ±180°."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from telemetry import times
from telemetry.model import Message
from telemetry.vocabulary import AltitudeReference


class Track(NamedTuple):
    """What is exported: ``name`` is a drone's or a flight's id; ``gap_seconds`` of silence cut it in two."""

    name: str
    gap_seconds: float
    altitude_reference: AltitudeReference  # of altitudes that do not say


class Point(NamedTuple):
    """Canonical time, degrees, metres."""

    time: str
    longitude: float
    latitude: float
    altitude: float | None
    height: float | None
    reference: AltitudeReference  # of the altitude


def point_of(message: Message, track: Track) -> Point | None:
    """None where the message gives no place."""
    position = message.get("position")
    if not position or "latitude" not in position or "longitude" not in position:
        return None
    return Point(
        message["time"],
        position["longitude"],
        position["latitude"],
        position.get("altitude"),
        position.get("height"),
        position.get("altitudeReference", track.altitude_reference),
    )


class Cutter:
    """Tells of each point whether it begins a new part, and puts in what a cut at ±180° needs."""

    def __init__(self, gap_seconds: float) -> None:
        self._gap = gap_seconds * 1_000_000
        self._last: Point | None = None

    def add(self, point: Point) -> Iterator[tuple[bool, Point]]:
        """(begins a part, point) for each point to write, the cut's own among them."""
        last, self._last = self._last, point
        if last is None or times.microseconds(point.time) - times.microseconds(last.time) > self._gap:
            yield True, point
            return
        if abs(point.longitude - last.longitude) <= 180:
            yield False, point
            return
        # The short way leads over the line: up to it on one side, on from it on the other.
        side = 180.0 if last.longitude > 0 else -180.0
        around = point.longitude + (360.0 if side > 0 else -360.0)
        share = (side - last.longitude) / (around - last.longitude) if around != last.longitude else 0.0
        before = _between(last, point, share, side)
        if share > 0:
            yield False, before
        if share < 1:
            yield True, before._replace(longitude=-side)
            yield False, point
        else:
            yield True, point


def _between(a: Point, b: Point, share: float, longitude: float) -> Point:
    start, end = times.microseconds(a.time), times.microseconds(b.time)
    return Point(
        times.from_microseconds(start + round((end - start) * share)),
        longitude,
        a.latitude + (b.latitude - a.latitude) * share,
        _mixed(a.altitude, b.altitude, share) if a.reference == b.reference else None,
        _mixed(a.height, b.height, share),
        a.reference,
    )


def _mixed(a: float | None, b: float | None, share: float) -> float | None:
    return None if a is None or b is None else a + (b - a) * share
