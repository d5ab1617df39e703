"""The formats a fleet can speak, as other people's drones and gateways do; what the pipeline makes of them is the same.

``native`` (``json``) and ``protobuf`` are in ``frames``. DJI's is what a dock's aircraft pushes, with the serial in the
topic; MAVLink's is what mavlink2rest writes of a vehicle, one MAVLink message at a time, which has no time of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import orjson

from simulator.frames import encode_json, encode_protobuf

Fields = dict[str, Any]
"""A message as in the native JSON shape."""

_GROUND_METRES = 32.0
"""The ellipsoidal height, and the altitude above sea level, of all take-off points."""
_DJI_MODES = {"ready": 0, "takeoff": 4, "inflight": 5, "landing": 10}
_UNKNOWN_DJI_MODE = 99
_DOCK = "dock-0"
_CUSTOM_MODE, _ARMED = 81, 128
_LOITER, _LAND = 5, 9
_MAVLINK_CYCLE = 5


@dataclass(frozen=True)
class Format:
    """``encode`` makes the body of a message; ``device`` is drone ``n``'s name; ``properties`` come with its events."""

    content_type: str
    key_frame_gap: int
    encode: Callable[[Fields, int], bytes]  # the drone's messages count from 0
    device: Callable[[int], str] = "drone-{}".format
    properties: Callable[[str], Mapping[str, str]] = lambda _: {}
    whole: bool = False  # ``encode`` is given everything measured, not what changed
    most_drones: int | None = None


def _native(fields: Fields, _: int) -> bytes:
    return encode_json(fields)


def _frame(fields: Fields, _: int) -> bytes:
    return encode_protobuf(fields)


def _cloud_event(fields: Fields, number: int) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{fields['deviceId']}/{number}",
            "source": "simulator",
            "type": "drone.telemetry",
            "subject": fields["deviceId"],
            "time": fields["timestamp"],
            "datacontenttype": "application/json",
            "data": fields,
        }
    )


def _dji(fields: Fields, number: int) -> bytes:
    data: Fields = {}
    if "flightMode" in fields:
        data["mode_code"] = _DJI_MODES.get(fields["flightMode"], _UNKNOWN_DJI_MODE)
    if "position" in fields:
        position = fields["position"]
        data.update(latitude=position["latitude"], longitude=position["longitude"], elevation=position["altitude"])
        data["height"] = round(position["altitude"] + _GROUND_METRES, 2)
    if "battery" in fields:
        data["battery"] = {"capacity_percent": round(fields["battery"] * 100)}
    if "groundSpeed" in fields:
        data["horizontal_speed"] = fields["groundSpeed"]
    if "heading" in fields:
        data["attitude_head"] = round((fields["heading"] + 180) % 360 - 180, 1)
    push = {"tid": f"t-{number}", "bid": f"b-{number}", "timestamp": _milliseconds(fields), "gateway": _DOCK}
    return orjson.dumps({**push, "data": data})


def _mavlink(fields: Fields, number: int) -> bytes:
    system = int(fields["deviceId"].rpartition("-")[2])
    header = {"system_id": system, "component_id": 1, "sequence": number % 256}
    kind = number % _MAVLINK_CYCLE
    message = _heartbeat(fields) if kind == 0 else _status(fields) if kind == 1 else _position(fields)
    status = {"time": {"counter": number, "last_update": fields["timestamp"]}}
    return orjson.dumps({"header": header, "message": message, "status": status})


def _heartbeat(fields: Fields) -> Fields:
    ready, landing = fields["flightMode"] == "ready", fields["flightMode"] == "landing"
    return {
        "type": "HEARTBEAT",
        "custom_mode": _LAND if landing else _LOITER,
        "mavtype": {"type": "MAV_TYPE_QUADROTOR"},
        "autopilot": {"type": "MAV_AUTOPILOT_ARDUPILOTMEGA"},
        "base_mode": {"bits": _CUSTOM_MODE if ready else _CUSTOM_MODE | _ARMED},
        "system_status": {"type": "MAV_STATE_STANDBY" if ready else "MAV_STATE_ACTIVE"},
        "mavlink_version": 3,
    }


def _status(fields: Fields) -> Fields:
    healthy = sum(1 << bit for bit, well in enumerate(fields["health"].values()) if well)
    return {
        "type": "SYS_STATUS",
        "onboard_control_sensors_present": {"bits": 7},
        "onboard_control_sensors_enabled": {"bits": 7},
        "onboard_control_sensors_health": {"bits": healthy},
        "battery_remaining": round(fields["battery"] * 100),
        "voltage_battery": 15_200,
    }


def _position(fields: Fields) -> Fields:
    position, heading = fields["position"], fields["heading"]
    speed = fields["groundSpeed"] * 100
    return {
        "type": "GLOBAL_POSITION_INT",
        "time_boot_ms": _milliseconds(fields) % 2**32,
        "lat": round(position["latitude"] * 1e7),
        "lon": round(position["longitude"] * 1e7),
        "alt": round((position["altitude"] + _GROUND_METRES) * 1000),
        "relative_alt": round(position["altitude"] * 1000),
        "vx": round(speed * math.cos(math.radians(heading))),
        "vy": round(speed * math.sin(math.radians(heading))),
        "vz": 0,
        "hdg": round(heading * 100) % 36_000,
    }


def _milliseconds(fields: Fields) -> int:
    moment = datetime.fromisoformat(fields["timestamp"][:-1]).replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


_JSON = "application/json"
_NATIVE = Format(_JSON, 10, _native)
FORMATS = {
    "json": _NATIVE,
    "native": _NATIVE,
    "protobuf": Format("application/x-protobuf", 100, _frame),
    "cloudevents": Format("application/cloudevents+json", 10, _cloud_event),
    "dji": Format(_JSON, 10, _dji, properties=lambda serial: {"topic": f"thing/product/{serial}/osd"}),
    "mavlink-json": Format(
        # A system id is one byte, and 0 means everybody.
        _JSON,
        10,
        _mavlink,
        device=lambda number: f"mav-{number + 1}",
        whole=True,
        most_drones=255,
    ),
}
"""By the name on the command line; ``json`` is another word for ``native``."""
