"""Network remote identification: ASTM F3411's ``RIDAircraftState``, as InterUSS' telemetry has it.

Source: https://github.com/interuss/uas_standards (``astm/f3411/v19/api.py``, ``v22a/api.py``,
``interuss/automated_testing/rid/v1/injection.py``): metres, m/s, degrees of true north, altitudes above the WGS 84
ellipsoid. Unknown is track 361, speed 255, vertical speed 63, altitude and height -1000, and latitude and longitude
both 0 (which the native shape knows as no fix). The aircraft's name is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telemetry.formats.shapes import Context, Reading
from telemetry.values import number, put

_UNKNOWN_TRACK, _UNKNOWN_SPEED, _UNKNOWN_CLIMB, _UNKNOWN_LENGTH = 361, 255, 63, -1000
_TAKE_OFF = "TakeoffLocation"
FLIGHT_MODES = {"Ground": "ready", "Airborne": "inflight"}
"""By ``operational_status``: the others (undeclared, emergency, failure) tell no flight mode."""
_TRANSLATED = frozenset({"timestamp", "track", "speed", "vertical_speed"})
_TRANSLATED_OF_POSITION = frozenset({"lat", "lng", "alt"})


def recognises(value: Any, context: Context) -> bool:
    """By the shape: a state has a status or a time with its format, and a position with ``lat`` and ``lng``."""
    if type(value) is not dict or "deviceId" in value:
        return False
    position, time = value.get("position"), value.get("timestamp")
    claims = (
        "operational_status" in value,
        type(time) is dict and "value" in time,
        type(position) is dict and "lat" in position and "lng" in position,
        "track" in value and "speed" in value and "vertical_speed" in value,
    )
    return sum(claims) >= 2


def read(value: dict[str, Any], context: Context) -> Iterator[Reading]:
    """One message; the device is what DEVICE_ID_SOURCE names."""
    element: dict[str, Any] = {}
    time = value.get("timestamp")
    put(element, "timestamp", time.get("value") if type(time) is dict else time)
    position = value.get("position")
    if type(position) is dict:
        place: dict[str, Any] = {}
        put(place, "latitude", position.get("lat"))
        put(place, "longitude", position.get("lng"))
        altitude = _known(position.get("alt"), _UNKNOWN_LENGTH)
        if altitude is not None:
            place["altitude"] = altitude
            place["altitudeReference"] = "wgs84"
    else:
        place = {}
        put(element, "position", position)
    # The standard of 2019 has the height beside the position, the one of 2022 in it.
    height = value.get("height", position.get("height") if type(position) is dict else None)
    if type(height) is dict and height.get("reference") == _TAKE_OFF:
        put(place, "height", _known(height.get("distance"), _UNKNOWN_LENGTH))
    if place:
        element["position"] = place
    put(element, "groundSpeed", _known(value.get("speed"), _UNKNOWN_SPEED))
    put(element, "verticalSpeed", _known(value.get("vertical_speed"), _UNKNOWN_CLIMB))
    put(element, "heading", _known(value.get("track"), _UNKNOWN_TRACK))
    status = value.get("operational_status")
    put(element, "flightMode", FLIGHT_MODES.get(status) if type(status) is str else None)
    rest = {name: part for name, part in value.items() if name not in _TRANSLATED and name != "position"}
    if type(position) is dict:
        beside = {name: part for name, part in position.items() if name not in _TRANSLATED_OF_POSITION}
        if beside:
            rest["position"] = beside
    if rest:
        element["f3411"] = rest
    yield Reading(element, value, "f3411")


def _known(value: Any, unknown: float) -> Any:
    """The value unless it is the sentinel; what is no number is left for the rules to reject."""
    return None if number(value) == unknown else value
