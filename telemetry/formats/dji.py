"""DJI Cloud API: what docks, remotes and aircraft push on ``thing/product/{sn}/osd`` (0.5 to 2 Hz) and ``/state``.

Source: https://developer.dji.com/doc/cloud-api-tutorial/en/ (API reference, MQTT: topic definition; aircraft properties
with units and ``mode_code``). The serial number is in the topic only. ``height`` is above the ellipsoid, ``elevation``
above the take-off point, ``attitude_head`` from -180 to 180, speeds in m/s. ``position_state.is_fixed`` tells of RTK,
not whether there is a position at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from telemetry.context import property_of
from telemetry.formats.shapes import Context, Reading
from telemetry.model import EventContext
from telemetry.values import number, put

_TOPIC_PROPERTIES = ("topic", "mqtt-topic")
_TOPIC = re.compile(r"(?:thing|sys)/product/([^/]+)/(.+)").fullmatch
_PUSHED = ("osd", "state")

FLIGHT_MODES = {
    0: "ready",  # standby
    1: "ready",  # preparing for take-off
    2: "ready",  # prepared for take-off
    3: "inflight",  # manual flight
    4: "takeoff",  # automatic take-off
    5: "inflight",  # wayline flight
    6: "inflight",  # panoramic photography
    7: "inflight",  # intelligent tracking
    8: "inflight",  # ADS-B avoidance
    9: "inflight",  # returning to home
    10: "landing",  # automatic landing
    11: "landing",  # forced landing
    12: "landing",  # three-blade landing
    13: "unknown",  # upgrading
    14: "offline",  # not connected
    15: "inflight",  # APAS
    16: "inflight",  # virtual stick
    17: "inflight",  # live flight controls
    18: "inflight",  # RTK fixing in the air
    20: "inflight",  # point of interest
}
"""By ``mode_code``; a code that is not here says no flight mode."""

# What is translated as it is: nothing of it is lost.
_TRANSLATED = frozenset(
    ("latitude", "longitude", "height", "elevation", "horizontal_speed", "vertical_speed", "attitude_head")
)
_READ = frozenset(("timestamp", "gateway", "data"))


def recognises(value: Any, context: Context) -> bool:
    """By the topic, else by the shape: ``data`` and ``timestamp`` with ``gateway``, ``tid`` or ``bid``."""
    if type(value) is not dict:
        return False
    if _topic(context.event) is not None:
        return True
    return (
        type(value.get("data")) is dict
        and "timestamp" in value
        and ("gateway" in value or ("tid" in value and "bid" in value))
        and "deviceId" not in value
    )


def read(value: dict[str, Any], context: Context) -> Iterator[Reading]:
    """One message; none for what a dock or remote says of itself, and for topics that push no properties."""
    topic = _topic(context.event)
    serial = None
    if topic is not None:
        serial, pushed = topic
        if pushed not in _PUSHED or serial == value.get("gateway"):
            return
    data = value.get("data")
    if type(data) is not dict:
        no_object: Any = data  # rejected as such
        yield Reading(no_object, value, "dji")
        return
    element: dict[str, Any] = {}
    put(element, "deviceId", serial)
    put(element, "timestamp", value.get("timestamp"))
    _translate(data, element)
    rest = {name: part for name, part in data.items() if name not in _TRANSLATED}
    put(rest, "gateway", value.get("gateway"))
    if rest:
        element["dji"] = rest
    # Of a push's envelope: sent again it may have others.
    beside = {name: part for name, part in value.items() if name not in _READ}
    yield Reading(element, value, "dji", extra={"cloudApi": beside} if beside else None)


def _translate(data: dict[str, Any], element: dict[str, Any]) -> None:
    position: dict[str, Any] = {}
    put(position, "latitude", data.get("latitude"))
    put(position, "longitude", data.get("longitude"))
    put(position, "height", data.get("elevation"))
    altitude = data.get("height")
    if altitude is not None:
        position["altitude"] = altitude
        position["altitudeReference"] = "wgs84"
    if position:
        element["position"] = position
    put(element, "groundSpeed", data.get("horizontal_speed"))
    put(element, "verticalSpeed", data.get("vertical_speed"))
    heading = number(data.get("attitude_head"))
    # A whole turn is added to what is west of north; what is no heading at all is left for the rules to reject.
    put(element, "heading", heading + 360 if heading is not None and -180 <= heading < 0 else data.get("attitude_head"))
    battery = data.get("battery")
    percent = battery.get("capacity_percent") if type(battery) is dict else None
    fraction = number(percent)
    put(element, "battery", percent if fraction is None else fraction / 100)
    code = data.get("mode_code")
    mode = FLIGHT_MODES.get(code) if type(code) is int else None
    put(element, "flightMode", mode)


def _topic(event: EventContext | None) -> tuple[str, str] | None:
    """Serial number and kind, when the event's topic is one of DJI's."""
    if event is None or "properties" not in event:
        return None
    text = event["properties"].get(_TOPIC_PROPERTIES[0])
    if text is None:
        text = property_of(event, *_TOPIC_PROPERTIES)
    return _parts(text) if type(text) is str else None


@lru_cache(maxsize=1024)
def _parts(topic: str) -> tuple[str, str] | None:
    match = _TOPIC(topic)
    return (match[1], match[2]) if match is not None else None
