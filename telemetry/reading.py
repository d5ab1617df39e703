"""One message in the native shape: each value is checked and normalised, as the table of fields says.

A reader is called only for a value that is there and not null, and adds what it means to the message (or to the group
it stands in), or to the errors. Numbers are kept as floats without a negative zero, so that what is equal is also
written equal. Readers are closures made once for each ``Rules``: their limits cost no look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from telemetry import context, times
from telemetry.device_id import DEVICE_ID_PATTERN
from telemetry.fields import FIELDS, GROUPS, POSITION, Field, of_group
from telemetry.model import Error, Message
from telemetry.rejection import broken, wrong_type
from telemetry.rules import Rules
from telemetry.vocabulary import FLIGHT_MODE_NUMBERS, FLIGHT_MODES, Flag

NO_GPS_FIX: Flag = "no_gps_fix"
UNKNOWN_FLIGHT_MODE_NUMBER: Flag = "unknown_flight_mode_number"

Reader = Callable[[Any, dict[str, Any], list[Error]], None]
MessageReader = Callable[[Any], tuple[Message, list[Error]]]

_DEVICE_ID = DEVICE_ID_PATTERN.fullmatch
_LARGEST_KEPT_INTEGER = 1 << 63


@lru_cache(maxsize=16)
def message_reader(rules: Rules) -> MessageReader:
    """The function that reads an element under these rules: what it says (``time`` only if it has a timestamp;
    ``flags`` always) and every rule that it breaks."""
    readers = _readers(rules)
    unnamed = "deviceId is required"
    if rules.device_id_source != "body":
        source = context.NAMED_BY[rules.device_id_source]
        unnamed = f"the event has no {source}, which names the device (DEVICE_ID_SOURCE is {rules.device_id_source})"

    def read_message(element: Any) -> tuple[Message, list[Error]]:
        message: Any = {"keyFrame": False, "flags": []}
        errors: list[Error] = []
        if type(element) is not dict:
            errors.append(broken("not_an_object", None, element, "a message must be an object"))
            return message, errors
        for name, value in element.items():
            if value is None:
                continue
            reader = readers.get(name)
            if reader is None:
                message.setdefault("extra", {})[name] = value
            else:
                reader(value, message, errors)
        if element.get("deviceId") is None:
            errors.append(broken("missing_device_id", "deviceId", None, unnamed))
        return message, errors

    return read_message


def claimed_device_id(element: Any) -> str | None:
    """The element's device id if it has a legal one, whatever else is wrong with it."""
    value = element.get("deviceId") if type(element) is dict else None
    return value if type(value) is str and _DEVICE_ID(value) else None


def _readers(rules: Rules) -> dict[str, Reader]:
    special: dict[str, Reader] = {
        "deviceId": _device_id,
        "timestamp": _timestamp,
        "flightMode": _flight_mode,
        "keyFrame": _key_frame,
    }
    top = {field.name: _scalar(field, rules) for field in of_group(None) if field.kind != "special"}
    groups = {group: _group(group, rules) for group in GROUPS}
    assert all(field.name in special for field in FIELDS if field.kind == "special")
    return {**special, **top, **groups}


def _scalar(field: Field, rules: Rules) -> Reader:
    if field.kind == "number":
        return _number(field, rules)
    return {"boolean": _boolean, "text": _text, "choice": _choice}[field.kind](field)


def _number(field: Field, rules: Rules) -> Reader:
    name, path, code = field.name, field.path, field.code
    low, high = field.bounds(rules)
    detail = f"{name} {field.range_text(rules)}"
    assert code is not None

    def read(value: Any, into: dict[str, Any], errors: list[Error]) -> None:
        if type(value) is not float and type(value) is not int:
            errors.append(wrong_type(path, value, "a number"))
        elif low <= value <= high:
            into[name] = value + 0.0
        else:
            errors.append(broken(code, path, value, detail))

    def read_angle(value: Any, into: dict[str, Any], errors: list[Error]) -> None:
        if type(value) is float and 0 <= value < 360:
            into[name] = value + 0.0
            return
        read(value, into, errors)
        angle = into.get(name, 0.0)
        if not 0 <= angle < 360:
            # What is a little below 0 would be rounded up to 360.
            into[name] = angle % 360 if angle % 360 < 360 else 0.0

    return read_angle if field.turns else read


def _text(field: Field) -> Reader:
    name, path, code, longest = field.name, field.path, field.code, field.longest
    detail = f"{name} {field.range_text(None)}"
    assert code is not None

    def read(value: Any, into: dict[str, Any], errors: list[Error]) -> None:
        if type(value) is not str:
            errors.append(wrong_type(path, value, "a string"))
        elif len(value) <= longest:
            into[name] = value
        else:
            errors.append(broken(code, path, value, f"{detail}, not {len(value)}"))

    return read


def _choice(field: Field) -> Reader:
    name, path, code, choices = field.name, field.path, field.code, field.choices
    detail = f"{name} {field.range_text(None)}"
    assert code is not None

    def read(value: Any, into: dict[str, Any], errors: list[Error]) -> None:
        if type(value) is not str:
            errors.append(wrong_type(path, value, "a string"))
        elif value in choices:
            into[name] = value
        else:
            errors.append(broken(code, path, value, detail))

    return read


def _boolean(field: Field) -> Reader:
    name, path = field.name, field.path

    def read(value: Any, into: dict[str, Any], errors: list[Error]) -> None:
        if type(value) is bool:
            into[name] = value
        else:
            errors.append(wrong_type(path, value, "a boolean"))

    return read


def _group(name: str, rules: Rules) -> Reader:
    fields = of_group(name)
    readers = {field.name: _scalar(field, rules) for field in fields}
    # Right values of these two kinds, which nearly all are, need no call.
    limits = {field.name: field.bounds(rules) for field in fields if field.kind == "number" and not field.turns}
    booleans = frozenset(field.name for field in fields if field.kind == "boolean")
    is_position = name == POSITION

    def read(value: Any, message: dict[str, Any], errors: list[Error]) -> None:
        if type(value) is not dict:
            errors.append(wrong_type(name, value, "an object"))
            return
        group: dict[str, Any] = {}
        for part, given in value.items():
            kind = type(given)
            if kind is float:
                allowed = limits.get(part)
                if allowed is not None and allowed[0] <= given <= allowed[1]:
                    group[part] = given + 0.0
                    continue
            elif kind is bool:
                if part in booleans:
                    group[part] = given
                    continue
            elif given is None:
                continue
            reader = readers.get(part)
            if reader is None:
                message.setdefault("extra", {}).setdefault(name, {})[part] = given
            else:
                reader(given, group, errors)
        if is_position and group.get("latitude") == 0 and group.get("longitude") == 0:
            message["flags"].append(NO_GPS_FIX)
            del group["latitude"], group["longitude"]
        if group:
            message[name] = group

    return read


def _device_id(value: Any, message: dict[str, Any], errors: list[Error]) -> None:
    if type(value) is not str:
        errors.append(wrong_type("deviceId", value, "a string"))
    elif _DEVICE_ID(value) is None:
        detail = "deviceId must be 1 to 64 letters, digits and ._:- and start with a letter or digit"
        errors.append(broken("invalid_device_id", "deviceId", value, detail))
    else:
        message["deviceId"] = value


def _timestamp(value: Any, message: dict[str, Any], errors: list[Error]) -> None:
    kind = type(value)
    try:
        if kind is str:
            message["time"] = times.parse_rfc3339(value)
        elif kind is int or kind is float:
            message["time"] = times.from_epoch(value)
        else:
            errors.append(wrong_type("timestamp", value, "a date and time with an offset, or a number since 1970"))
    except ValueError as error:
        errors.append(broken("invalid_timestamp", "timestamp", value, f"timestamp: {error}"))


def _flight_mode(value: Any, message: dict[str, Any], errors: list[Error]) -> None:
    kind = type(value)
    if kind is str:
        number = FLIGHT_MODE_NUMBERS.get(value)
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


def _key_frame(value: Any, message: dict[str, Any], errors: list[Error]) -> None:
    if type(value) is bool:
        message["keyFrame"] = value
    else:
        errors.append(wrong_type("keyFrame", value, "a boolean"))
