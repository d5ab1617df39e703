"""What the HTTP API shows of states and messages."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from telemetry import enrichment, merge, times
from telemetry.fields import GROUPS, HEALTH, TOP_LEVEL, of_group
from telemetry.model import DroneState, Message
from telemetry.registry import Registry
from telemetry.rules import Rules
from telemetry.vocabulary import FLIGHT_MODES, OFFLINE, ONLINE, STALE, AlertCode, Connectivity, FlightMode

_GROUPS = {group: tuple(field.name for field in of_group(group) if field.merged) for group in GROUPS}
# Top-level key -> its registers.
_SHOWN = {key: _GROUPS.get(key, (key,)) for key in TOP_LEVEL if key in GROUPS or key in merge.REGISTERS}
_UPDATED = {**_SHOWN, "derived": ("derived", "altitudeLimitExceeded")}


def drone_view(state: DroneState, now: str, rules: Rules, registry: Registry | None) -> dict[str, Any]:
    """The body of ``GET /api/drones/{id}``; ``now`` is canonical. Every key is there, null when unknown."""
    registers: dict[str, list[Any]] = state["registers"]

    def value(name: str) -> Any:
        register = registers.get(name)
        return None if register is None else register[0]

    said: dict[str, Any] = {}
    for key, names in _SHOWN.items():
        if key in _GROUPS:
            parts = {name: value(name) for name in names}
            said[key] = parts if any(part is not None for part in parts.values()) else None
        else:
            said[key] = value(key)
            if key == "flightMode":
                mode = said[key]
                said[key], said["flightModeNumber"] = None if mode is None else _mode_name(mode), mode
    health = said[HEALTH]
    derived = value("derived") or {}
    age = max(times.seconds_between(state["lastSeen"], now), 0.0)
    last = state["last"]
    return {
        "id": state["id"],
        **said,
        "derived": {
            "zones": derived.get("zones"),
            "healthy": None if health is None else False not in health.values(),
            "outsideGeofence": derived.get("outsideGeofence"),
            "altitudeLimitExceeded": value("altitudeLimitExceeded"),
            "distanceFromHome": derived.get("distanceFromHome"),
        },
        "alerts": _alerts(registers, rules),
        "updatedAt": {field: _latest(registers, names) for field, names in _UPDATED.items()},
        "lastSeen": times.display(state["lastSeen"]),
        "ageSeconds": round(age, 3),
        "connectivity": connectivity(age, rules),
        "registration": None if registry is None else registry.drones.get(state["id"]),
        "lastMessage": {
            "partition": last[3],
            "sequenceNumber": last[4],
            "enqueuedAt": times.display(last[2]),
        },
    }


_ANY_RULES = Rules()


def check_state(state: DroneState) -> None:
    """Raises an exception of any kind when ``state`` is none that can be shown."""
    drone_view(state, state["lastSeen"], _ANY_RULES, None)
    status_v1(state)
    etag(state)


def connectivity(age_seconds: float, rules: Rules) -> Connectivity:
    """online, stale or offline by the age of the last message."""
    if age_seconds < rules.stale_after_seconds:
        return ONLINE
    return STALE if age_seconds < rules.offline_after_seconds else OFFLINE


def etag(state: DroneState) -> str:
    """Strong entity tag (quoted) of the stored state alone: not of ages, nor of the registry."""
    return f'"{blake2b(merge.canonical(state), digest_size=16).hexdigest()}"'


def status_v1(state: DroneState) -> dict[str, Any]:
    """The reference's body: nine fields, the mode's number as sent, None for what is unknown."""
    registers: dict[str, list[Any]] = state["registers"]

    def value(name: str) -> Any:
        register = registers.get(name)
        return None if register is None else register[0]

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
    """A stored message as the history shows it: times in their shortest form, nothing that is only for the pipeline."""
    item: dict[str, Any] = dict(message)
    item["time"] = times.display(message["time"])
    item["enqueuedAt"] = times.display(message["enqueuedAt"])
    if "derived" in message:
        item["derived"] = {key: value for key, value in message["derived"].items() if key != "noFly"}
    if "alerts" in message:
        item["alerts"] = [{**alert, "at": times.display(alert["at"])} for alert in message["alerts"]]
    return item


def _mode_name(number: int | float) -> FlightMode:
    return FLIGHT_MODES[int(number)] if 0 <= number < len(FLIGHT_MODES) else FLIGHT_MODES[0]


def _latest(registers: dict[str, list[Any]], names: tuple[str, ...]) -> str | None:
    known = [registers[name][1] for name in names if name in registers]
    return times.display(max(known)) if known else None


def _alerts(registers: dict[str, list[Any]], rules: Rules) -> list[dict[str, str]]:
    """Each with the message time of the value that raises it (of several unhealthy sensors, the latest)."""
    raised: list[tuple[AlertCode, str]] = []
    battery = registers.get("battery")
    if battery is not None and battery[0] < rules.low_battery:
        raised.append((enrichment.LOW_BATTERY, battery[1]))
    unhealthy = [registers[name][1] for name in _GROUPS[HEALTH] if name in registers and registers[name][0] is False]
    if unhealthy:
        raised.append((enrichment.SENSOR_UNHEALTHY, max(unhealthy)))
    derived = registers.get("derived")
    if derived is not None:
        if derived[0]["noFly"]:
            raised.append((enrichment.NO_FLY_ZONE, derived[1]))
        if derived[0]["outsideGeofence"]:
            raised.append((enrichment.OUTSIDE_GEOFENCE, derived[1]))
    too_high = registers.get("altitudeLimitExceeded")
    if too_high is not None and too_high[0]:
        raised.append((enrichment.ALTITUDE_LIMIT, too_high[1]))
    return [{"code": code, "at": times.display(time)} for code, time in raised]
