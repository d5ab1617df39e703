"""The fields of one message: each reader checks a value and adds what it means to the message, or to the errors.

A reader is called only for a value that is there and not null. Numbers are kept as floats without a negative zero, so
that what is equal is also written equal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from telemetry import times
from telemetry.rejection import Error, broken, wrong_type
from telemetry.rules import Rules

FLIGHT_MODES = ("unknown", "ready", "takeoff", "inflight", "landing", "offline")
"""Names by number."""
NO_GPS_FIX = "no_gps_fix"
UNKNOWN_FLIGHT_MODE_NUMBER = "unknown_flight_mode_number"

Reader = Callable[[Any, dict[str, Any], list[Error], Rules], None]

DEVICE_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_DEVICE_ID = DEVICE_ID_PATTERN.fullmatch
_FLIGHT_MODE_NUMBERS = {name: number for number, name in enumerate(FLIGHT_MODES)}
# A number beyond a double's range is read as the largest double, which is no speed either.
_LARGEST = sys.float_info.max
_SENSORS = ("gyrometer", "accelerometer", "magnetometer")
_LARGEST_KEPT_INTEGER = 1 << 63


def read_message(element: Any, rules: Rules) -> tuple[dict[str, Any], list[Error]]:
    """What the element says (``time`` only if it has a timestamp; ``flags`` always) and every rule that it breaks."""
    message: dict[str, Any] = {"keyFrame": False, "flags": []}
    errors: list[Error] = []
    if type(element) is not dict:
        errors.append(broken("not_an_object", None, element, "a message must be an object"))
        return message, errors
    for name, value in element.items():
        if value is None:
            continue
        reader = _READERS.get(name)
        if reader is None:
            message.setdefault("extra", {})[name] = value
        else:
            reader(value, message, errors, rules)
    if element.get("deviceId") is None:
        errors.append(broken("missing_device_id", "deviceId", None, "deviceId is required"))
    return message, errors


def claimed_device_id(element: Any) -> str | None:
    """The element's device id if it has a legal one, whatever else is wrong with it."""
    value = element.get("deviceId") if type(element) is dict else None
    return value if type(value) is str and _DEVICE_ID(value) else None


def _device_id(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is not str:
        errors.append(wrong_type("deviceId", value, "a string"))
    elif _DEVICE_ID(value) is None:
        detail = "deviceId must be 1 to 64 letters, digits and ._:- and start with a letter or digit"
        errors.append(broken("invalid_device_id", "deviceId", value, detail))
    else:
        message["deviceId"] = value


def _timestamp(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    kind = type(value)
    try:
        if kind is str:
            message["time"] = times.parse_rfc3339(value)
        elif kind is int:
            message["time"] = times.from_epoch_ms(value)
        elif kind is float:
            if not value.is_integer():
                raise ValueError("milliseconds since the epoch must be an integer")
            message["time"] = times.from_epoch_ms(int(value))
        else:
            errors.append(wrong_type("timestamp", value, "an RFC 3339 string or integer milliseconds"))
    except ValueError as error:
        errors.append(broken("invalid_timestamp", "timestamp", value, f"timestamp: {error}"))


def _battery(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is not float and type(value) is not int:
        errors.append(wrong_type("battery", value, "a number"))
    elif 0 <= value <= 1:
        message["battery"] = value + 0.0
    else:
        errors.append(broken("battery_out_of_range", "battery", value, "battery must be from 0 to 1"))


def _flight_mode(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    kind = type(value)
    if kind is str:
        number = _FLIGHT_MODE_NUMBERS.get(value)
        if number is None:
            detail = f"flightMode must be a number or one of {', '.join(FLIGHT_MODES)}"
            errors.append(broken("unknown_flight_mode", "flightMode", value, detail))
            return
        message["flightMode"], message["flightModeNumber"] = value, number
        return
    if kind is float and value.is_integer():
        value = int(value) if abs(value) < _LARGEST_KEPT_INTEGER else value
    elif kind is not int:
        errors.append(wrong_type("flightMode", value, "a name or an integer"))
        return
    message["flightModeNumber"] = value
    if 0 <= value < len(FLIGHT_MODES):
        message["flightMode"] = FLIGHT_MODES[value]
    else:
        message["flightMode"] = FLIGHT_MODES[0]
        message["flags"].append(UNKNOWN_FLIGHT_MODE_NUMBER)


def _position(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is not dict:
        errors.append(wrong_type("position", value, "an object"))
        return
    position: dict[str, float] = {}
    for name, part in value.items():
        if part is None:
            continue
        if name == "latitude":
            low, high = -90.0, 90.0
        elif name == "longitude":
            low, high = -180.0, 180.0
        elif name == "altitude":
            low, high = rules.altitude_minimum, rules.altitude_maximum
        else:
            message.setdefault("extra", {}).setdefault("position", {})[name] = part
            continue
        if type(part) is not float and type(part) is not int:
            errors.append(wrong_type("position." + name, part, "a number"))
        elif low <= part <= high:
            position[name] = part + 0.0
        else:
            detail = f"{name} must be from {low:g} to {high:g}"
            errors.append(broken(name + "_out_of_range", "position." + name, part, detail))
    if position:
        if position.get("latitude") == 0 and position.get("longitude") == 0:
            message["flags"].append(NO_GPS_FIX)
        else:
            message["position"] = position


def _health(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is not dict:
        errors.append(wrong_type("health", value, "an object"))
        return
    health: dict[str, bool] = {}
    for name, part in value.items():
        if type(part) is bool and name in _SENSORS:
            health[name] = part
        elif part is None:
            continue
        elif name not in _SENSORS:
            message.setdefault("extra", {}).setdefault("health", {})[name] = part
        else:
            errors.append(wrong_type("health." + name, part, "a boolean"))
    if health:
        message["health"] = health


def _ground_speed(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is not float and type(value) is not int:
        errors.append(wrong_type("groundSpeed", value, "a number"))
    elif 0 <= value < _LARGEST:
        message["groundSpeed"] = value + 0.0
    else:
        detail = "groundSpeed must be 0 or more, and finite"
        errors.append(broken("ground_speed_out_of_range", "groundSpeed", value, detail))


def _heading(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is not float and type(value) is not int:
        errors.append(wrong_type("heading", value, "a number"))
    elif 0 <= value < 360:
        message["heading"] = value + 0.0
    else:
        errors.append(broken("heading_out_of_range", "heading", value, "heading must be from 0 to below 360"))


def _key_frame(value: Any, message: dict[str, Any], errors: list[Error], rules: Rules) -> None:
    if type(value) is bool:
        message["keyFrame"] = value
    else:
        errors.append(wrong_type("keyFrame", value, "a boolean"))


_READERS: dict[str, Reader] = {
    "deviceId": _device_id,
    "timestamp": _timestamp,
    "battery": _battery,
    "flightMode": _flight_mode,
    "position": _position,
    "health": _health,
    "groundSpeed": _ground_speed,
    "heading": _heading,
    "keyFrame": _key_frame,
}
