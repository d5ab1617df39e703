"""Fields at the wrong place, or under a usual other name: kept like any unknown field, and flagged, so that a beginner
sees why nothing moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry.fields import FIELDS, GROUPS

# As ``_plain`` has them.
_SYNONYMS = (
    *("lat", "lon", "lng", "long", "alt", "elevation", "gpslatitude", "gpslongitude", "gpsaltitude"),
    *("time", "datetime", "ts", "timestamputc", "sampletime", "eventtime", "relativealtitude"),
    *("batterypercent", "batterypercentage", "batterylevel", "batterycapacity", "batteryremaining", "soc"),
    *("speed", "velocity", "horizontalspeed", "verticalvelocity", "climbrate", "yaw", "course", "track", "bearing"),
    *("hdg", "mode", "flightstatus", "rssi", "signalstrength", "linkquality", "missionid", "gyro", "accel", "mag"),
    *("droneid", "uavid", "device", "serialnumber", "iskeyframe"),
)
_CONTAINERS = frozenset({"location", "gps", "coordinates", "coords", "pos", "telemetry", "data", "payload", "state"})


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


_OURS = (*(field.name for field in FIELDS), *GROUPS, "deviceId", "timestamp", "keyFrame")
_NAMES = frozenset({*map(_plain, _OURS), *_SYNONYMS})


def has_misplaced(extra: Mapping[str, Any]) -> bool:
    """Whether unknown fields look like ours. ``extra``: name to value; those of a group stand under its name."""
    for name, value in extra.items():
        plain = _plain(name)
        if plain in _NAMES and name not in GROUPS:
            return True
        inside = isinstance(value, dict) and (name in GROUPS or plain in _CONTAINERS)
        if inside and any(_plain(part) in _NAMES for part in value):
            return True
    return False
