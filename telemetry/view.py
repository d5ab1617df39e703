"""What the HTTP API shows of states and messages."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson

from telemetry import merge, merge_old, times
from telemetry.conditions import UNKNOWN, Registers, conditions, connectivity
from telemetry.fields import GROUPS, HEALTH, POSITION, TOP_LEVEL, of_group
from telemetry.model import DroneState, Message
from telemetry.registry import Registry
from telemetry.rules import Rules
from telemetry.vocabulary import FLIGHT_MODES, FlightMode

_GROUPS = {group: tuple(field.name for field in of_group(group) if field.merged) for group in GROUPS}
# Top-level key -> its registers.
_SHOWN = {key: _GROUPS.get(key, (key,)) for key in TOP_LEVEL if key in GROUPS or key in merge.REGISTERS}
_UPDATED = {**_SHOWN, "derived": ("derived", "altitudeLimitExceeded")}


def drone_view(state: DroneState, now: str, rules: Rules, registry: Registry | None) -> dict[str, Any]:
    """The body of ``GET /api/drones/{id}``; ``now`` is canonical. Every key is there, null when unknown."""
    state = merge.current(state)
    registers = merge.registers(state)
    said: dict[str, Any] = {}
    for key, names in _SHOWN.items():
        if key in _GROUPS:
            parts = {name: registers.get(name, UNKNOWN)[0] for name in names}
            said[key] = parts if any(part is not None for part in parts.values()) else None
        else:
            said[key] = registers.get(key, UNKNOWN)[0]
            if key == "flightMode":
                mode = said[key]
                said[key], said["flightModeNumber"] = None if mode is None else _mode_name(mode), mode
    position, health = said[POSITION], said[HEALTH]
    if position is not None and position["altitude"] is not None:
        position["altitudeReference"] = position["altitudeReference"] or rules.altitude_reference
    derived = registers.get("derived", UNKNOWN)[0] or {}
    age = max(times.seconds_between(state["lastSeen"], now), 0.0)
    connected = connectivity(age, rules)
    enqueued_at, partition, number = merge_old.delivery(state["last"])
    return {
        "id": state["id"],
        **said,
        "derived": {
            "zones": derived.get("zones"),
            "healthy": None if health is None else False not in health.values(),
            "outsideGeofence": derived.get("outsideGeofence"),
            "altitudeLimitExceeded": registers.get("altitudeLimitExceeded", UNKNOWN)[0],
            "distanceFromHome": derived.get("distanceFromHome"),
        },
        "alerts": [{"code": one.code, "at": one.since} for one in conditions(state, registers, connected, rules)],
        "updatedAt": {field: _latest(registers, names) for field, names in _UPDATED.items()},
        "lastSeen": state["lastSeen"],
        "ageSeconds": round(age, 3),
        "connectivity": connected,
        "registration": None if registry is None else registry.drones.get(state["id"]),
        "lastMessage": {"partition": partition, "sequenceNumber": number, "enqueuedAt": enqueued_at},
    }


def etag(state: DroneState, view: dict[str, Any]) -> str:
    """Entity tag (quoted) of the stored state and of what is worked out at reading, but for the age: who asks again
    with it learns that a drone went offline. ``view`` is the state's ``drone_view``."""
    worked_out = {name: view[name] for name in ("connectivity", "alerts", "registration")}
    digest = blake2b(merge.canonical(merge.current(state)), digest_size=16)
    digest.update(orjson.dumps(worked_out, option=orjson.OPT_SORT_KEYS))
    return f'"{digest.hexdigest()}"'


def status_v1(state: DroneState) -> dict[str, Any]:
    """The reference's body: nine fields, the mode's number as sent, None for what is unknown."""
    registers = merge.registers(state)

    def value(name: str) -> Any:
        return registers.get(name, UNKNOWN)[0]

    return {
        "id": state["id"],
        "Battery": value("battery"),
        "FlightMode": value("flightMode"),
        "Latitude": value("latitude"),
        "Longitude": value("longitude"),
        "Altitude": value("altitude"),
        "GyrometerOK": value("gyrometer"),
        "AccelerometerOK": value("accelerometer"),
        "MagnetometerOK": value("magnetometer"),
    }


def history_item(message: Message) -> dict[str, Any]:
    """A stored message as the history shows it: nothing that is only for the pipeline."""
    item: dict[str, Any] = dict(message)
    if "derived" in message:
        item["derived"] = {key: value for key, value in message["derived"].items() if key != "noFly"}
    return item


def _mode_name(number: int | float) -> FlightMode:
    return FLIGHT_MODES[int(number)] if 0 <= number < len(FLIGHT_MODES) else FLIGHT_MODES[0]


def _latest(registers: Registers, names: tuple[str, ...]) -> str | None:
    known = [registers[name][1] for name in names if name in registers]
    return max(known) if known else None
