"""Flight logs as CSV: DJI flight records (as PhantomHelp's viewer, FlightReader and TXTlogToCSVtool export them) and
Airdata. Their columns name their units; the table below names the columns.

Sources: https://www.phantomhelp.com/LogViewer/upload, https://www.flightreader.com, https://airdata.com (headers of
their exports). Both write heights above the take-off point and altitudes above sea level. A record of DJI's measures
the speed downwards (``zSpeed``, as in the Mobile SDK); Airdata does not say, so it is not translated.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from gateway.files import Options, Row, UnreadableFile
from gateway.files.log_times import Times, columns_of_time
from gateway.files.units import LENGTHS, SPEEDS, factor, name_and_unit, number

_DJI_MARK, _AIRDATA_MARK = b"osd.latitude", b"datetime(utc)"

# Our field: the columns that hold it, the first one counts; what unit they have.
_LENGTH_COLUMNS = {
    "height": ("osd.height", "height_above_takeoff"),
    "altitude": ("osd.altitude", "altitude_above_sealevel"),
}
_SPEED = ("osd.hspeed", "speed")
_DOWN_COLUMNS = ("osd.zspeed",)
_LATITUDE, _LONGITUDE = ("osd.latitude", "latitude"), ("osd.longitude", "longitude")
_HEADING = ("osd.yaw", "compass_heading")
_BATTERY = (
    "battery.chargelevel",
    "smart_battery.battery",
    "smart_battery.battery percent",
    "center_battery.relativecapacity",
    "battery_percent",
)
_SIGNAL = ("rc.downlinksignal",)
_MODE = ("osd.flycstate", "flycstate")
_GROUND = ("osd.groundorsky",)
_KEPT = {"satellites": ("osd.gpsnum", "satellites"), "message": ("message", "app.tip")}
_SERIAL = ("recover.aircraftserial", "details.aircraftserial", "details.aircraftserialnumber", "recover.aircraftsn")


def is_flight_log(head: bytes) -> bool:
    """Whether a file's first bytes are such a log's."""
    lower = head.lower()
    return _DJI_MARK in lower or _AIRDATA_MARK in lower


def rows(path: Path, options: Options) -> Iterator[Row]:
    """The log's rows that say when. Raises UnreadableFile."""
    header = next(_cells(path), None)
    if header is None:
        raise UnreadableFile(f"{path} is empty")
    columns = _Columns(header, str(path))
    times = Times.of(columns_of_time(columns.by_name), options, str(path))
    for cells in _rest(path):
        times.learn(cells)
    serial = columns.first_text(_SERIAL, _rest(path)) if options.device_id is None else None
    device = options.device_of(path, serial)
    read = columns.readers()
    any_row = False
    for cells in _rest(path):
        at = times.moment(cells)
        if at is None:
            continue
        any_row = True
        message: dict[str, Any] = {"deviceId": device}
        for reader in read:
            reader(cells, message)
        yield Row(at, message)
    if not any_row:
        raise UnreadableFile(f"{path} has no row with a time")


def _cells(path: Path) -> Iterator[list[str]]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline()
        # Excel's word for the separator, which some exports write first.
        lines = file if first.lower().startswith("sep=") else chain([first], file)
        yield from csv.reader(lines)


def _rest(path: Path) -> Iterator[list[str]]:
    rest = _cells(path)
    next(rest, None)
    return rest


_Reader = Callable[[list[str], dict[str, Any]], None]


class _Columns:
    def __init__(self, header: list[str], place: str) -> None:
        self.by_name: dict[str, tuple[int, str | None, str]] = {}
        self._place = place
        for index, column in enumerate(header):
            name, unit = name_and_unit(column)
            # Some are there twice, in words and in numbers with a unit: ``OSD.flyTime`` and ``OSD.flyTime [s]``.
            if name not in self.by_name or (unit and not self.by_name[name][1]):
                self.by_name[name] = (index, unit, column)

    def find(self, names: tuple[str, ...]) -> tuple[int, str | None, str] | None:
        return next((self.by_name[name] for name in names if name in self.by_name), None)

    def first_text(self, names: tuple[str, ...], all_cells: Iterator[list[str]]) -> str | None:
        found = self.find(names)
        if found is None:
            return None
        return next((c[found[0]].strip() for c in all_cells if len(c) > found[0] and c[found[0]].strip()), None)

    def readers(self) -> list[_Reader]:
        made = [self._place_reader()]
        for field, length_names in _LENGTH_COLUMNS.items():
            if found := self.find(length_names):
                made.append(_in_position(field, found[0], factor(found[2], found[1], LENGTHS, self._place)))
        if found := self.find(_SPEED):
            made.append(_scaled("groundSpeed", found[0], factor(found[2], found[1], SPEEDS, self._place)))
        if found := self.find(_DOWN_COLUMNS):
            made.append(_scaled("verticalSpeed", found[0], -factor(found[2], found[1], SPEEDS, self._place)))
        flat: tuple[tuple[str, tuple[str, ...], float], ...] = (
            ("heading", _HEADING, 1.0),
            ("battery", _BATTERY, 0.01),
            ("signal", _SIGNAL, 0.01),
        )
        for field, names, scale in flat:
            if found := self.find(names):
                made.append(_scaled(field, found[0], scale))
        made.append(self._mode_reader())
        return made

    def _place_reader(self) -> _Reader:
        latitude, longitude = self.find(_LATITUDE), self.find(_LONGITUDE)
        if latitude is None or longitude is None:
            raise UnreadableFile(f"{self._place} has no columns for latitude and longitude")

        def read(cells: list[str], message: dict[str, Any]) -> None:
            north, east = number(_at(cells, latitude[0])), number(_at(cells, longitude[0]))
            # Before the first fix both are 0.
            if north is not None and east is not None and (north or east):
                message["position"] = {"latitude": north, "longitude": east}

        return read

    def _mode_reader(self) -> _Reader:
        mode, ground = self.find(_MODE), self.find(_GROUND)
        kept = {name: found[0] for name, names in _KEPT.items() if (found := self.find(names))}

        def read(cells: list[str], message: dict[str, Any]) -> None:
            said = _at(cells, mode[0]) if mode else None
            flight_mode = _flight_mode(said, _at(cells, ground[0]) if ground else None)
            if flight_mode is not None:
                message["flightMode"] = flight_mode
            log = {name: text for name, index in kept.items() if (text := _at(cells, index))}
            if said:
                log["flycState"] = said
            if log:
                message["log"] = log

        return read


def _flight_mode(state: str | None, ground: str | None) -> str | None:
    """DJI's ``flycState`` names take-off and landing; ``groundOrSky`` tells the rest. Neither: not known."""
    name = (state or "").lower().replace("_", "").replace(" ", "")
    if (ground or "").lower() == "ground":
        return "ready"
    if "takeoff" in name:
        return "takeoff"
    if "landing" in name:
        return "landing"
    if name in ("enginestart", "motorsjuststarted"):
        return "ready"
    return "inflight" if (ground or "").lower() == "sky" else None


def _at(cells: list[str], index: int) -> str | None:
    return cells[index].strip() if index < len(cells) else None


def _scaled(field: str, index: int, scale: float) -> _Reader:
    def read(cells: list[str], message: dict[str, Any]) -> None:
        value = number(_at(cells, index))
        if value is not None:
            message[field] = round(value * scale, 4) + 0.0

    return read


def _in_position(field: str, index: int, scale: float) -> _Reader:
    read_flat = _scaled(field, index, scale)

    def read(cells: list[str], message: dict[str, Any]) -> None:
        position = message.get("position", {})
        read_flat(cells, position)
        if field in position:
            message["position"] = position
            if field == "altitude":
                position["altitudeReference"] = "msl"

    return read
