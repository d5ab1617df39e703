"""MAVLink as JSON, as mavlink2rest writes it: ``{"header": ..., "message": {"type": ...}}``, one message of a vehicle.

Source: https://github.com/mavlink/mavlink2rest (README), over the messages of
https://mavlink.io/en/messages/common.html; units, sentinels and modes are in ``telemetry.mavlink``. Every message
stands alone here. A vehicle's clock counts from its boot, so the time is mavlink2rest's (``status.time.last_update``)
or the hub's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telemetry.context import DEVICE_ANNOTATION, system_property
from telemetry.formats.shapes import Context, Reading
from telemetry.mavlink import fields_of, is_peripheral, is_vehicle

# What is translated as it is: nothing of it is lost.
_TRANSLATED = {
    "GLOBAL_POSITION_INT": frozenset({"lat", "lon", "alt", "relative_alt", "vz", "hdg"}),
    "VFR_HUD": frozenset({"groundspeed", "heading", "alt", "climb"}),
    "SYS_STATUS": frozenset({"battery_remaining"}),
    "BATTERY_STATUS": frozenset({"battery_remaining"}),
}
_NOTHING: frozenset[str] = frozenset()


def recognises(value: Any, context: Context) -> bool:
    """By the shape."""
    if type(value) is not dict:
        return False
    header, message = value.get("header"), value.get("message")
    return (
        type(header) is dict
        and type(message) is dict
        and type(header.get("system_id")) is int
        and type(message.get("type")) is str
    )


def read(value: dict[str, Any], context: Context) -> Iterator[Reading]:
    """One message; none for ground stations, payloads and radios, and for types that say nothing of our fields."""
    header, message = value["header"], value["message"]
    kind: str = message["type"]
    component = header.get("component_id")
    if type(component) is int and is_peripheral(component, kind):
        return
    if kind == "HEARTBEAT" and not is_vehicle(message):
        return
    fields = fields_of(kind, message)
    if fields is None:
        return
    translated = _TRANSLATED.get(kind, _NOTHING)
    rest = {name: part for name, part in message.items() if name not in translated}
    element = {**fields, "mavlink": {"header": header, **rest}}
    if context.device is None or context.device == system_property(context.event, DEVICE_ANNOTATION):
        # Beside a name that a device cannot forge, the system id is a claim: who passes on several vehicles under one
        # name is told so. A partition key names the vehicle in the system id's place.
        element["deviceId"] = f"mav-{header['system_id']}"
    yield Reading(element, value, "mavlink", timestamp=_heard(value))


def _heard(value: dict[str, Any]) -> Any:
    status = value.get("status")
    time = status.get("time") if type(status) is dict else None
    return time.get("last_update") if type(time) is dict else None
