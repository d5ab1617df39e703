"""What MAVLink messages say, in our fields and units: the one table for MAVLink as JSON and for the gateway.

Source: ``common.xml`` and ``minimal.xml`` of https://mavlink.io/en/messages/common.html (units, sentinels,
enumerations), PX4's ``px4_custom_mode.h`` and ArduPilot's ``Copter::Mode::Number`` and ``Plane::Mode::Number``.
Enumerations are accepted as the number that is on the wire and as the name that mavlink2rest writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from telemetry.values import put

Values = Mapping[str, Any]
"""A MAVLink message's fields by their names in the specification, raw as on the wire."""

ARMED = 128
"""``MAV_MODE_FLAG_SAFETY_ARMED`` of HEARTBEAT.base_mode."""
NO_FIX = 2
"""A GPS_RAW_INT.fix_type below this is no position."""

_GYRO, _ACCELEROMETER, _MAGNETOMETER = 1, 2, 4
_SENSORS = (("gyrometer", _GYRO), ("accelerometer", _ACCELEROMETER), ("magnetometer", _MAGNETOMETER))

_UINT8, _INT16, _UINT16, _INT32 = 255, 32767, 65535, 2147483647

AUTOPILOT_INVALID, _ARDUPILOT, _PX4 = 8, 3, 12
_AUTOPILOTS = {
    "MAV_AUTOPILOT_ARDUPILOTMEGA": _ARDUPILOT,
    "MAV_AUTOPILOT_PX4": _PX4,
    "MAV_AUTOPILOT_INVALID": AUTOPILOT_INVALID,
}
# What has a heartbeat and does not fly: antenna trackers, ground stations, computers, gimbals, cameras, payloads.
_NO_VEHICLES = {
    "MAV_TYPE_ANTENNA_TRACKER": 5,
    "MAV_TYPE_GCS": 6,
    "MAV_TYPE_ONBOARD_CONTROLLER": 18,
    "MAV_TYPE_GIMBAL": 26,
    "MAV_TYPE_ADSB": 27,
    "MAV_TYPE_CAMERA": 30,
    "MAV_TYPE_CHARGING_STATION": 31,
    "MAV_TYPE_FLARM": 32,
    "MAV_TYPE_SERVO": 33,
    "MAV_TYPE_ODID": 34,
    "MAV_TYPE_BATTERY": 36,
    "MAV_TYPE_PARACHUTE": 37,
    "MAV_TYPE_LOG": 38,
    "MAV_TYPE_OSD": 39,
    "MAV_TYPE_IMU": 40,
    "MAV_TYPE_GPS": 41,
    "MAV_TYPE_WINCH": 42,
    "MAV_TYPE_ILLUMINATOR": 44,
    "MAV_TYPE_GRIPPER": 48,
}
_FIXED_WING = {
    "MAV_TYPE_FIXED_WING": 1,
    "MAV_TYPE_VTOL_DUOROTOR": 19,
    "MAV_TYPE_VTOL_TAILSITTER_DUOROTOR": 19,
    "MAV_TYPE_VTOL_QUADROTOR": 20,
    "MAV_TYPE_VTOL_TAILSITTER_QUADROTOR": 20,
    "MAV_TYPE_VTOL_TILTROTOR": 21,
    "MAV_TYPE_VTOL_FIXEDROTOR": 22,
    "MAV_TYPE_VTOL_TAILSITTER": 23,
    "MAV_TYPE_VTOL_TILTWING": 24,
}
_TYPES = {**_NO_VEHICLES, **_FIXED_WING}
_NO_VEHICLE_NUMBERS = frozenset(_NO_VEHICLES.values())
_FIXED_WING_NUMBERS = frozenset(_FIXED_WING.values())

_STANDBY, _ACTIVE = 3, 4
_STATES = {
    "MAV_STATE_UNINIT": 0,
    "MAV_STATE_BOOT": 1,
    "MAV_STATE_CALIBRATING": 2,
    "MAV_STATE_STANDBY": _STANDBY,
    "MAV_STATE_ACTIVE": _ACTIVE,
    "MAV_STATE_CRITICAL": 5,
    "MAV_STATE_EMERGENCY": 6,
    "MAV_STATE_POWEROFF": 7,
    "MAV_STATE_FLIGHT_TERMINATION": 8,
}
_LANDED_STATES = {
    "MAV_LANDED_STATE_UNDEFINED": 0,
    "MAV_LANDED_STATE_ON_GROUND": 1,
    "MAV_LANDED_STATE_IN_AIR": 2,
    "MAV_LANDED_STATE_TAKEOFF": 3,
    "MAV_LANDED_STATE_LANDING": 4,
}
_BY_LANDED_STATE = {1: "ready", 2: "inflight", 3: "takeoff", 4: "landing"}

# PX4: main mode AUTO (4) with its sub modes; ArduPilot: LAND, and for planes TAKEOFF, QLAND, AUTOLAND.
_PX4_AUTO = 4
_PX4_SUB_MODES = {2: "takeoff", 10: "takeoff", 6: "landing", 9: "landing"}
_COPTER_MODES = {9: "landing"}
_PLANE_MODES = {13: "takeoff", 20: "landing", 26: "landing"}

_TELEMETRY_RADIO = 68
_FIRST_PERIPHERAL = 100
_BATTERIES = (180, 181)


def fields_of(kind: str, values: Values) -> dict[str, Any] | None:
    """What a message of this type (``GLOBAL_POSITION_INT``) says of a drone, as fields of our JSON message; without
    device and time. None for a type that says nothing of them; an empty object when all it says is unknown."""
    reader = _READERS.get(kind)
    return None if reader is None else reader(values)


def says_something(kind: str) -> bool:
    """Whether ``fields_of`` knows the type."""
    return kind in _READERS


def is_vehicle(heartbeat: Values) -> bool:
    """Whether a HEARTBEAT is a drone's: not a ground station's, a camera's, a gimbal's or another payload's."""
    if enumerated(heartbeat.get("autopilot"), _AUTOPILOTS) == AUTOPILOT_INVALID:
        return False
    return enumerated(_type(heartbeat), _TYPES) not in _NO_VEHICLE_NUMBERS


def is_peripheral(component_id: int, kind: str) -> bool:
    """Whether a message of this component id (``MAV_COMPONENT``) speaks of a payload, a radio or a ground station,
    not of the aircraft it belongs to. A smart battery speaks of the aircraft."""
    if component_id in _BATTERIES:
        return kind != "BATTERY_STATUS"
    return component_id >= _FIRST_PERIPHERAL or component_id == _TELEMETRY_RADIO


def enumerated(value: Any, names: Mapping[str, int]) -> int | None:
    """The number of an enumeration's value, written as number, as name or as ``{"type": name}``; None if unknown."""
    if type(value) is int:
        return value
    if type(value) is dict:
        value = value.get("type")
    return names.get(value) if type(value) is str else None


def bits(value: Any, names: Mapping[str, int]) -> int | None:
    """The bits of a bit field, written as number, as ``{"bits": n}`` or as ``"NAME | NAME"``; None if unreadable."""
    if type(value) is dict:
        value = value.get("bits")
    if type(value) is int:
        return value
    if type(value) is str:
        return sum(names.get(name.strip(), 0) for name in set(value.split("|")))
    return None


def _type(heartbeat: Values) -> Any:
    # mavlink2rest needs ``type`` for the message's own name.
    return heartbeat["mavtype"] if "mavtype" in heartbeat else heartbeat.get("type")


def _number(value: Any) -> float | None:
    """A finite number; anything else, NaN included, is unknown."""
    if type(value) is int:
        return value
    return value if type(value) is float and math.isfinite(value) else None


def _scaled(value: Any, unknown: int, scale: float) -> float | None:
    # One division of exact numbers is rounded once, so 525100000 / 1e7 is 52.51 and nothing near it.
    if type(value) is int:
        return None if value == unknown else value / scale
    number = _number(value)
    return None if number is None or number == unknown else number / scale


def _without_unknown(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _global_position(values: Values) -> dict[str, Any]:
    get = values.get
    position: dict[str, Any] = {}
    put(position, "latitude", _scaled(get("lat"), _INT32, 1e7))
    put(position, "longitude", _scaled(get("lon"), _INT32, 1e7))
    altitude = _scaled(get("alt"), _INT32, 1e3)
    if altitude is not None:
        position["altitude"] = altitude
        position["altitudeReference"] = "msl"
    put(position, "height", _scaled(get("relative_alt"), _INT32, 1e3))
    fields: dict[str, Any] = {"position": position} if position else {}
    north, east = _scaled(get("vx"), _INT16, 1e2), _scaled(get("vy"), _INT16, 1e2)
    if north is not None and east is not None:
        fields["groundSpeed"] = round(math.hypot(north, east), 3)
    down = _scaled(get("vz"), _INT16, 1e2)
    if down is not None:
        fields["verticalSpeed"] = 0.0 - down
    put(fields, "heading", _scaled(get("hdg"), _UINT16, 1e2))
    return fields


def _heads_up(values: Values) -> dict[str, Any]:
    heading = _number(values.get("heading"))
    altitude, climb, speed = (_number(values.get(name)) for name in ("alt", "climb", "groundspeed"))
    return _without_unknown(
        {
            "position": None if altitude is None else {"altitude": round(altitude, 3), "altitudeReference": "msl"},
            "groundSpeed": None if speed is None else round(speed, 3),
            "verticalSpeed": None if climb is None else round(climb, 3) + 0.0,
            "heading": heading if heading is not None and 0 <= heading <= 360 else None,
        }
    )


def _percent(value: Any) -> float | None:
    number = _number(value)
    return None if number is None or number < 0 else number / 100


def _system_status(values: Values) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    present, enabled, healthy = (
        bits(values.get("onboard_control_sensors_" + name), _SENSOR_NAMES) for name in ("present", "enabled", "health")
    )
    if present is not None and enabled is not None and healthy is not None:
        # A sensor that is not there, or switched off, is neither well nor ill.
        health = {name: bool(healthy & bit) for name, bit in _SENSORS if present & enabled & bit}
        if health:
            fields["health"] = health
    battery = _percent(values.get("battery_remaining"))
    if battery is not None:
        fields["battery"] = battery
    return fields


def _battery_status(values: Values) -> dict[str, Any]:
    battery = _percent(values.get("battery_remaining"))
    # Further batteries drive other things: the first is what keeps it in the air.
    return {} if battery is None or values.get("id") not in (0, None) else {"battery": battery}


def _landed_state(values: Values) -> dict[str, Any]:
    mode = _BY_LANDED_STATE.get(enumerated(values.get("landed_state"), _LANDED_STATES) or 0)
    return {} if mode is None else {"flightMode": mode}


def _heartbeat(values: Values) -> dict[str, Any]:
    """Disarmed is ``ready``. Armed is what the custom mode says where it is a take-off or a landing; else the system
    status tells: ArduPilot is ``STANDBY`` as long as it stands on the ground, armed or not."""
    base_mode = bits(values.get("base_mode"), _MODE_FLAGS)
    if base_mode is None or not is_vehicle(values):
        return {}
    if not base_mode & ARMED:
        return {"flightMode": "ready"}
    state = enumerated(values.get("system_status"), _STATES)
    if state == _STANDBY:
        return {"flightMode": "ready"}
    return {"flightMode": _custom_mode(values) or "inflight"}


def _custom_mode(heartbeat: Values) -> str | None:
    mode = heartbeat.get("custom_mode")
    autopilot = enumerated(heartbeat.get("autopilot"), _AUTOPILOTS)
    if type(mode) is not int:
        return None
    if autopilot == _PX4:
        return _PX4_SUB_MODES.get(mode >> 24 & 255) if mode >> 16 & 255 == _PX4_AUTO else None
    if autopilot == _ARDUPILOT:
        plane = enumerated(_type(heartbeat), _TYPES) in _FIXED_WING_NUMBERS
        return (_PLANE_MODES if plane else _COPTER_MODES).get(mode)
    return None


def _radio(values: Values) -> dict[str, Any]:
    rssi = _number(values.get("rssi"))
    return {} if rssi is None or not 0 <= rssi < _UINT8 else {"signal": round(rssi / (_UINT8 - 1), 4)}


_MODE_FLAGS = {"MAV_MODE_FLAG_SAFETY_ARMED": ARMED}
_SENSOR_NAMES = {
    "MAV_SYS_STATUS_SENSOR_3D_GYRO": _GYRO,
    "MAV_SYS_STATUS_SENSOR_3D_ACCEL": _ACCELEROMETER,
    "MAV_SYS_STATUS_SENSOR_3D_MAG": _MAGNETOMETER,
}
_READERS: dict[str, Callable[[Values], dict[str, Any]]] = {
    "HEARTBEAT": _heartbeat,
    "EXTENDED_SYS_STATE": _landed_state,
    "GLOBAL_POSITION_INT": _global_position,
    "VFR_HUD": _heads_up,
    "SYS_STATUS": _system_status,
    "BATTERY_STATUS": _battery_status,
    "RADIO_STATUS": _radio,
}
