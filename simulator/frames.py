"""What a drone sends of what it measures: a key frame now and then, else only what changed; JSON or protobuf."""

from __future__ import annotations

import struct
from datetime import datetime, timezone
from typing import Any

import orjson

from simulator.drone import Sample
from telemetry.vocabulary import FLIGHT_MODE_NUMBERS, SENSORS

_DOUBLE = struct.Struct("<d").pack


def changes(last: Sample | None, sample: Sample) -> Sample:
    """The fields (whole groups) that differ; all of them when there is no last sample."""
    if last is None:
        return sample
    return {name: value for name, value in sample.items() if value != last[name]}


def message(device_id: str, milliseconds: int, sample: Sample, key_frame: bool) -> dict[str, Any]:
    """The JSON message of a sample measured at ``milliseconds`` since the epoch."""
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc).replace(tzinfo=None)
    fields: dict[str, Any] = {"deviceId": device_id, "timestamp": moment.isoformat(timespec="milliseconds") + "Z"}
    fields.update(sample)
    if key_frame:
        fields["keyFrame"] = True
    return fields


def encode_json(fields: dict[str, Any]) -> bytes:
    return orjson.dumps(fields)


def encode_protobuf(fields: dict[str, Any]) -> bytes:
    """The frame of a message, as the reference's devices write it: no time, groups whole, zeros and falses included.

    ``flightMode`` may be a number. What the frame has no field for is left out.
    """
    parts: list[bytes] = []
    if "deviceId" in fields:
        name = fields["deviceId"].encode()
        parts.append(b"\x0a" + bytes((len(name),)) + name)
    if "battery" in fields:
        parts.append(b"\x11" + _DOUBLE(fields["battery"]))
    if "flightMode" in fields:
        mode = fields["flightMode"]
        parts.append(b"\x18" + bytes((FLIGHT_MODE_NUMBERS.get(mode, mode),)))
    if "position" in fields:
        position = fields["position"]
        parts.append(
            b"\x22\x1b\x09"
            + _DOUBLE(position["latitude"])
            + b"\x11"
            + _DOUBLE(position["longitude"])
            + b"\x19"
            + _DOUBLE(position["altitude"])
        )
    if "health" in fields:
        sensors = b"".join(bytes((tag << 3, fields["health"][name])) for tag, name in enumerate(SENSORS, start=1))
        parts.append(b"\x2a\x06" + sensors)
    parts.append(b"\x30" + bytes((bool(fields.get("keyFrame")),)))
    return b"".join(parts)
