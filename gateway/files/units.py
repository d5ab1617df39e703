"""Columns that name their unit, as ``OSD.height [ft]`` and ``speed(mph)`` do: values in ours."""

from __future__ import annotations

import re

from gateway.files import UnreadableFile

_COLUMN = re.compile(r"\s*(.*?)\s*(?:[\[(]\s*(.*?)\s*[\])])?\s*")

LENGTHS = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "ft": 0.3048, "feet": 0.3048}
SPEEDS = {
    "m/s": 1.0,
    "mps": 1.0,
    "mph": 0.44704,
    "km/h": 1 / 3.6,
    "kmh": 1 / 3.6,
    "kph": 1 / 3.6,
    "knots": 1852 / 3600,
    "kn": 1852 / 3600,
    "kt": 1852 / 3600,
    "ft/s": 0.3048,
}


def name_and_unit(column: str) -> tuple[str, str | None]:
    """``OSD.height [ft]`` is (``osd.height``, ``ft``), lower case; no unit is None."""
    match = _COLUMN.fullmatch(column)
    name, unit = match.group(1, 2) if match else (column, None)
    return name.lower(), unit.lower() if unit else None


def factor(column: str, unit: str | None, units: dict[str, float], place: str) -> float:
    """What a column's values are multiplied by. Raises UnreadableFile: a unit is never guessed."""
    if unit in units:
        return units[unit]
    known = ", ".join(sorted(units))
    what = f"the unknown unit {unit!r}" if unit else "no unit"
    raise UnreadableFile(f"{place}: the column {column!r} has {what}; known are {known}")


def number(text: str | None) -> float | None:
    """A cell's number; None when it is empty or none."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
