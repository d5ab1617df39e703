"""The reference devices' protobuf frame, read into the object that the same message would be in JSON.

Our own reader, because google.protobuf cannot keep this contract: it files a known field with the wrong wire type under
unknown fields instead of failing, and says nothing about which parts of a nested group were there once it is parsed
without a schema compiled for presence. The format needs six fields and four wire types.
"""

from __future__ import annotations

import struct
from typing import Any

from telemetry.rejection import EventRejected

_VARINT, _FIXED64, _BYTES, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
_DOUBLE = struct.Struct("<d").unpack_from
_DEEPEST_GROUP = 64

_TOP = {
    1: ("deviceId", _BYTES),
    2: ("battery", _FIXED64),
    3: ("flightMode", _VARINT),
    4: ("position", _BYTES),
    5: ("health", _BYTES),
    6: ("keyFrame", _VARINT),
}
_POSITION = {1: ("latitude", _FIXED64), 2: ("longitude", _FIXED64), 3: ("altitude", _FIXED64)}
_HEALTH = {1: ("gyrometer", _VARINT), 2: ("accelerometer", _VARINT), 3: ("magnetometer", _VARINT)}
_GROUPS = {"position": _POSITION, "health": _HEALTH}

FIELD_NUMBERS = {
    **{name: str(number) for number, (name, _) in _TOP.items()},
    **{
        f"{group}.{name}": f"{outer}.{number}"
        for outer, (group, _) in _TOP.items()
        for number, (name, _) in _GROUPS.get(group, {}).items()
    },
}
"""By the path of the JSON field."""


def decode_frame(body: bytes) -> dict[str, Any]:
    """The frame's message. Raises EventRejected (``malformed_protobuf``)."""
    message: dict[str, Any] = {}
    for name, value in _fields(body, 0, len(body), _TOP):
        if name == "deviceId":
            try:
                message[name] = value.decode()
            except UnicodeDecodeError as error:
                raise _malformed("deviceId is not UTF-8") from error
        elif name == "flightMode":
            # An enum is an int32: a negative one travels as ten bytes of two's complement.
            low = value & 0xFFFFFFFF
            message[name] = low - 0x100000000 if low & 0x80000000 else low
        elif name == "position":
            group = message.setdefault(name, {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0})
            group.update(_fields(value, 0, len(value), _POSITION))
            if not any(group.values()):
                del group["altitude"]  # all defaults say nothing; 0, 0 alone is flagged as no fix
        elif name == "health":
            group = message.setdefault(name, {"gyrometer": False, "accelerometer": False, "magnetometer": False})
            group.update((part, flag != 0) for part, flag in _fields(value, 0, len(value), _HEALTH))
        elif name == "keyFrame":
            message[name] = value != 0
        else:
            message[name] = value
    return message


def _malformed(detail: str) -> EventRejected:
    return EventRejected("malformed_protobuf", detail)


def _fields(data: bytes, at: int, end: int, known: dict[int, tuple[str, int]]) -> list[tuple[str, Any]]:
    """Name and value of each known field in order; unknown ones are skipped."""
    found: list[tuple[str, Any]] = []
    value: Any
    while at < end:
        start = at
        key = data[at]
        at += 1
        if key > 127:
            key, at = _varint(data, start, end)
        number, wire_type = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise _malformed(f"field number {number} at byte {start}")
        if wire_type == _VARINT:
            if at < end and data[at] < 128:
                value = data[at]
                at += 1
            else:
                value, at = _varint(data, at, end)
        elif wire_type == _FIXED64:
            if at + 8 > end:
                raise _malformed(f"cut off in field {number} at byte {start}")
            value = _DOUBLE(data, at)[0]
            at += 8
        elif wire_type == _BYTES:
            length, at = _varint(data, at, end)
            if at + length > end:
                raise _malformed(f"cut off in field {number} at byte {start}")
            value = data[at : at + length]
            at += length
        elif wire_type == _FIXED32:
            if at + 4 > end:
                raise _malformed(f"cut off in field {number} at byte {start}")
            value = None
            at += 4
        elif wire_type == _START_GROUP:
            value = None
            at = _skip_group(data, at, end, number)
        else:
            raise _malformed(f"wire type {wire_type} at byte {start}")
        entry = known.get(number)
        if entry is not None:
            name, expected = entry
            if wire_type != expected:
                raise _malformed(f"{name} (field {number}) has wire type {wire_type} instead of {expected}")
            found.append((name, value))
    return found


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for position in range(at, min(at + 10, end)):
        byte = data[position]
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, position + 1
        shift += 7
    raise _malformed(f"no varint at byte {at}")


def _skip_group(data: bytes, at: int, end: int, number: int) -> int:
    """Position after the end of the unknown group ``number`` that was just opened."""
    open_groups = [number]
    while open_groups:
        key, at = _varint(data, at, end)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            _, at = _varint(data, at, end)
        elif wire_type == _FIXED64:
            at += 8
        elif wire_type == _BYTES:
            length, at = _varint(data, at, end)
            at += length
        elif wire_type == _FIXED32:
            at += 4
        elif wire_type == _START_GROUP:
            if len(open_groups) == _DEEPEST_GROUP:
                raise _malformed("groups nested too deep")
            open_groups.append(number)
        elif wire_type != _END_GROUP or open_groups.pop() != number:
            raise _malformed(f"unexpected end of group or wire type {wire_type}")
        if number == 0 or at > end:
            raise _malformed("cut off or malformed inside a group")
    return at
