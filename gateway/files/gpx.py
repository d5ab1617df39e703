"""GPX tracks. Source: https://www.topografix.com/GPX/1/1/ (elevation in metres above sea level, times in UTC) and
Garmin's TrackPointExtension (speed in m/s, course in degrees)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gateway.files import Options, Row, UnreadableFile
from telemetry import times

_ZONE = re.compile(r"([Zz]|[+-]\d{2}:?\d{2})$")


def rows(path: Path, options: Options) -> Iterator[Row]:
    """The points of all tracks in the order of the file. Raises UnreadableFile."""
    device = options.device_of(path)
    number = 0
    try:
        for _, element in ElementTree.iterparse(path):
            if _name(element) != "trkpt":
                continue
            number += 1
            yield _point(element, device, f"{path}: point {number}")
            element.clear()
    except ElementTree.ParseError as error:
        raise UnreadableFile(f"{path} is no GPX: {error}") from None


def _point(element: ElementTree.Element, device: str, place: str) -> Row:
    texts = {_name(part): (part.text or "").strip() for part in element.iter() if part is not element}
    if "time" not in texts:
        raise UnreadableFile(f"{place} has no <time>: a planned route cannot be flown")
    try:
        moment = times.parse_rfc3339(_with_zone(texts["time"]))
        position: dict[str, Any] = {
            "latitude": float(element.attrib["lat"]),
            "longitude": float(element.attrib["lon"]),
        }
        if texts.get("ele"):
            position["altitude"] = float(texts["ele"])
            position["altitudeReference"] = "msl"
        message: dict[str, Any] = {"deviceId": device, "position": position}
        if texts.get("speed"):
            message["groundSpeed"] = float(texts["speed"])
        if texts.get("course"):
            message["heading"] = float(texts["course"])
    except (ValueError, KeyError) as error:
        raise UnreadableFile(f"{place} cannot be read: {error}") from None
    return Row(times.epoch_microseconds(moment) / 1e6, message)


def _with_zone(text: str) -> str:
    """GPX times are UTC, with or without a word about it."""
    return text if _ZONE.search(text) else text + "Z"


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
