"""What a drone's merged state says is wrong with it, since when, and by what value. Worked out when it is read."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from telemetry import merge, times
from telemetry.fields import HEALTH, POSITION, of_group
from telemetry.model import DroneState, Position
from telemetry.rules import Rules
from telemetry.vocabulary import ALERT_CODES, OFFLINE, ONLINE, STALE, AlertCode, Connectivity

LOW_BATTERY, SENSOR_UNHEALTHY, NO_FLY_ZONE, OUTSIDE_GEOFENCE, ALTITUDE_LIMIT, TELEMETRY_DELAYED = ALERT_CODES
SENSORS = tuple(field.name for field in of_group(HEALTH))
_POSITION = tuple(field.name for field in of_group(POSITION) if field.merged)

Registers = dict[str, tuple[Any, str]]
"""Field -> (value, message time), as ``merge.registers`` gives them."""
UNKNOWN: tuple[Any, str] = (None, "")


class Condition(NamedTuple):
    """``since`` is the latest message time at which it did not hold, where it always did the earliest known;
    ``said_at`` that of the value that makes it hold. ``value``: the fraction of
    ``low_battery``, the names of the ill sensors, the ids of the zones, metres from home (``outside_geofence``), metres
    of height or altitude, seconds of delay."""

    code: AlertCode
    since: str
    said_at: str
    value: Any


def judge(state: DroneState, now: str, rules: Rules) -> list[Condition]:
    """All that hold at ``now`` (canonical)."""
    state = merge.current(state)
    age = max(times.seconds_between(state["lastSeen"], now), 0.0)
    return conditions(state, merge.registers(state), connectivity(age, rules), rules)


def connectivity(age_seconds: float, rules: Rules) -> Connectivity:
    """online, stale or offline by the age of the last message."""
    if age_seconds < rules.stale_after_seconds:
        return ONLINE
    return STALE if age_seconds < rules.offline_after_seconds else OFFLINE


def conditions(state: DroneState, registers: Registers, connected: Connectivity, rules: Rules) -> list[Condition]:
    """As ``judge``, where registers and connectivity are known. ``state`` is of today's version."""
    clear, held = dict(state["clear"]), dict(state["held"])

    def since(condition: str, value_time: str) -> str:
        time = clear.get(condition, held.get(condition))
        return value_time if time is None else times.from_microseconds(time)

    found: list[Condition] = []
    battery, battery_at = registers.get("battery", UNKNOWN)
    if battery is not None and battery < rules.low_battery:
        found.append(Condition(LOW_BATTERY, since(LOW_BATTERY, battery_at), battery_at, battery))
    ill = {name: registers[name][1] for name in SENSORS if registers.get(name, UNKNOWN)[0] is False}
    if ill:
        # Told of all sensors together, and of each that is ill now: it has been so since the earlier of the two.
        of_each = min(since(name, time) for name, time in ill.items())
        began = min(since(SENSOR_UNHEALTHY, of_each), of_each)
        found.append(Condition(SENSOR_UNHEALTHY, began, max(ill.values()), sorted(ill)))
    derived, derived_at = registers.get("derived", UNKNOWN)
    if derived is not None:
        if derived["noFly"]:
            found.append(Condition(NO_FLY_ZONE, since(NO_FLY_ZONE, derived_at), derived_at, derived.get("zones")))
        if derived["outsideGeofence"]:
            away = derived.get("distanceFromHome")
            found.append(Condition(OUTSIDE_GEOFENCE, since(OUTSIDE_GEOFENCE, derived_at), derived_at, away))
    too_high, too_high_at = registers.get("altitudeLimitExceeded", UNKNOWN)
    if too_high:
        height = registers.get("height", UNKNOWN)[0]
        metres = registers.get("altitude", UNKNOWN)[0] if height is None else height
        found.append(Condition(ALTITUDE_LIMIT, since(ALTITUDE_LIMIT, too_high_at), too_high_at, metres))
    if connected == ONLINE and is_delayed(state, rules):
        newest = times.from_microseconds(state["last"][0])
        behind = round(times.seconds_between(newest, state["lastSeen"]), 3)
        found.append(Condition(TELEMETRY_DELAYED, newest, newest, behind))
    return found


def is_fresh(condition: Condition, now: str, max_age_seconds: float) -> bool:
    """Whether it may raise an alert: what was said long ago may not, but for a delay, which is about that."""
    age = times.seconds_between(condition.said_at, now)
    return condition.code == TELEMETRY_DELAYED or age <= max_age_seconds


def position_of(state: DroneState) -> Position | None:
    """What is known of where the drone is; None when nothing is."""
    registers = merge.registers(state)
    known = {name: registers[name][0] for name in _POSITION if registers.get(name, UNKNOWN)[0] is not None}
    position: Any = known or None
    return cast("Position | None", position)


def is_delayed(state: DroneState, rules: Rules) -> bool:
    """Whether what is shown is not what the drone says now: the newest message is old (a backlog), or what the hub
    delivers now is older by the drone's clock than what it delivered before (the clock was ahead, or fell back)."""
    newest, now_said = state["last"][0], state["seen"][2]
    allowed = rules.stale_after_seconds * 1_000_000
    return bool(newest < times.microseconds(state["lastSeen"]) - allowed or 0 < now_said < newest - allowed)


def spoken_of(patch: DroneState, rules: Rules) -> dict[AlertCode, bool]:
    """Of which conditions ``patch`` (the state of a few messages) speaks, and whether they hold by it alone."""
    layers = patch["layers"]
    said: dict[str, Any] = layers[0][5] if len(layers) == 1 else {k: v for one in layers for k, v in one[5].items()}
    verdicts: dict[AlertCode, bool] = {TELEMETRY_DELAYED: is_delayed(patch, rules)}
    battery = said.get("battery")
    if battery is not None:
        verdicts[LOW_BATTERY] = battery < rules.low_battery
    sensors = [said[name] for name in SENSORS if name in said]
    if sensors:
        verdicts[SENSOR_UNHEALTHY] = False in sensors
    derived = said.get("derived")
    if derived is not None:
        verdicts[NO_FLY_ZONE] = bool(derived["noFly"])
        verdicts[OUTSIDE_GEOFENCE] = bool(derived["outsideGeofence"])
    if "altitudeLimitExceeded" in said:
        verdicts[ALTITUDE_LIMIT] = bool(said["altitudeLimitExceeded"])
    return verdicts
