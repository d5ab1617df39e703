"""The drone's latest state: one last-writer-wins register per field, so that order and repetition never show.

A register is a value and its stamp: (message time, enqueued time, sequence number, index in the event, message id), the
larger one wins. So of messages with equal times (a batch without timestamps, a clock that ticks once a second) the one
delivered last counts. A state is::

    {"id",
     "layers": [[time, delay, sequence number, index, id, {field: value}], …],      newest first, each field once
     "last": [time, delay, sequence number, index, id, partition],                  of the largest stamp
     "lastSeen", "seen": [sequence number, index, time],                            of what the hub delivered last
     "clear": {condition: time}, "held": {condition: time}}

A layer holds the registers that share one stamp, which mostly is all of them: a stamp of each one's own would not fit
into the 2 KB that a state may have. For the same reason times are whole microseconds since 1970 (``lastSeen`` is
canonical text), an enqueued time is given as a delay, what it is later than the message time (among equal times that
sorts alike), and of an id, which only breaks ties, the first 12 characters are kept. ``clear`` is the latest message
time at which a condition did not hold; ``held``, where it always did, the earliest at which it did.

Merging is commutative, associative and idempotent, and a state is built in one order of keys, so equal states are equal
bytes under any JSON writer that keeps the order of keys. No value is ever computed with: what a device sent is what is
kept. States of the version before (``registers`` with stamps of two parts) are read too: their missing parts are zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from operator import itemgetter
from typing import Any

from telemetry import merge_old, times
from telemetry.fields import GROUPS, HEALTH, of_group
from telemetry.model import DroneState, Message
from telemetry.vocabulary import ALERT_CODES

Layer = list[Any]

_KEYS = {"flightMode": "flightModeNumber"}
_TOP = tuple((field.name, _KEYS.get(field.name, field.name)) for field in of_group(None) if field.merged)
_GROUPS = tuple((group, tuple(field.name for field in of_group(group) if field.merged)) for group in GROUPS)
REGISTERS = (
    *(name for name, _ in _TOP),
    *(name for _, names in _GROUPS for name in names),
    "derived",
    "altitudeLimitExceeded",
)
"""In the order a layer holds them. ``flightMode`` keeps the number as sent. ``derived`` is what enrichment found at a
position; whether it is too high stands apart, because a message may give a position without an altitude."""
_DERIVED = ("zones", "noFly", "outsideGeofence", "distanceFromHome")

LOW_BATTERY, SENSOR_UNHEALTHY, NO_FLY_ZONE, OUTSIDE_GEOFENCE, ALTITUDE_LIMIT, _ = ALERT_CODES
SENSORS = tuple(field.name for field in of_group(HEALTH))
CONDITIONS = (LOW_BATTERY, SENSOR_UNHEALTHY, *SENSORS, NO_FLY_ZONE, OUTSIDE_GEOFENCE, ALTITUDE_LIMIT)
"""What ``clear`` and ``held`` are kept of: alerts, and each sensor by itself."""

_ID_LENGTH = 12
_stamp = itemgetter("time", "enqueuedAt", "sequenceNumber", "index", "id")
_VALUES = 5  # of a layer; before it stands the stamp


def merge_messages(messages: Iterable[Message]) -> dict[str, DroneState]:
    """One state per device id out of (enriched) messages."""
    by_device: dict[str, list[Message]] = {}
    for message in messages:
        of_device = by_device.get(message["deviceId"])
        if of_device is None:
            by_device[message["deviceId"]] = [message]
        else:
            of_device.append(message)
    return {device_id: _merged(of_device) for device_id, of_device in by_device.items()}


def _merged(messages: list[Message]) -> DroneState:
    if len(messages) == 1:
        return from_message(messages[0])
    # From the latest on: what is known then stays, and most earlier messages have nothing to add.
    messages.sort(key=_stamp, reverse=True)
    newest = messages[0]
    state = from_message(newest)
    known = {name for layer in state["layers"] for name in layer[_VALUES]}
    noted = False
    for message in messages[1:]:
        _add_older(state, message, known)
        if "alerts" in message and len(state["clear"]) < len(CONDITIONS):
            noted = _note(state, message, times.microseconds(message["time"])) or noted
    if noted:
        _settle(state)
    return state


def from_message(message: Message) -> DroneState:
    """The state of a drone of which only this message is known."""
    enqueued_at, number, index = message["enqueuedAt"], message["sequenceNumber"], message["index"]
    time = times.microseconds(message["time"])
    stamp = [time, times.microseconds(enqueued_at) - time, number, index, message["id"][:_ID_LENGTH]]
    values = _values(message)
    state: DroneState = {
        "id": message["deviceId"],
        "layers": [[*stamp, values]] if values else [],
        "last": [*stamp, message["partition"]],
        "lastSeen": enqueued_at,
        "seen": [number, index, time],
        "clear": {},
        "held": {},
    }
    if "alerts" in message:
        _note(state, message, time)
    return state


def _add_older(state: DroneState, message: Message, known: set[str]) -> None:
    """Merge in place a message whose stamp is no larger than any in the state; ``known`` are the state's fields."""
    enqueued_at = message["enqueuedAt"]
    fresh = _values(message, known)
    if fresh:
        time = times.microseconds(message["time"])
        place = [message["sequenceNumber"], message["index"], message["id"][:_ID_LENGTH]]
        layer = [time, times.microseconds(enqueued_at) - time, *place, fresh]
        state["layers"] = _merged_layers(state["layers"], [layer])
        known.update(fresh)
    if enqueued_at >= state["lastSeen"]:
        seen = [message["sequenceNumber"], message["index"], times.microseconds(message["time"])]
        if enqueued_at > state["lastSeen"] or seen > state["seen"]:
            state["lastSeen"], state["seen"] = enqueued_at, seen
    if message["partition"] < state["last"][5]:
        state["last"] = _last(state["last"], from_message(message)["last"])


_NOTHING: frozenset[str] = frozenset()


def _values(message: Message, known: Set[str] = _NOTHING) -> dict[str, Any]:
    """What a message says of each register that is not ``known``, in their order. What it does not say is absent."""
    said: Any = message
    values: dict[str, Any] = {}
    for name, key in _TOP:
        if key in said and name not in known:
            values[name] = said[key]
    for group, names in _GROUPS:
        if group in said:
            parts = said[group]
            for name in names:
                if name in parts:
                    if name not in known:
                        values[name] = parts[name]
                elif name == "altitudeReference" and "altitude" in values:
                    # What was known of an older altitude's is not true of this one's.
                    values[name] = None
    if "altitudeReference" in values and "altitude" not in values:
        del values["altitudeReference"]
    if "derived" in said:
        derived = said["derived"]
        if "derived" not in known:
            values["derived"] = {name: derived[name] for name in _DERIVED if name in derived}
        if "altitudeLimitExceeded" in derived and "altitudeLimitExceeded" not in known:
            values["altitudeLimitExceeded"] = derived["altitudeLimitExceeded"]
    return values


def _note(state: DroneState, message: Message, time: int) -> bool:
    """Add when the conditions that an enriched message speaks of held, or did not; True when that changed something.

    The message is no later than any that the state knows."""
    said: Any = message
    health, derived = said.get("health"), said.get("derived")
    spoken_of = _SPOKEN_OF[
        "battery" in said,
        True if health else None,
        None if derived is None else derived.get("altitudeLimitExceeded") is not None,
    ]
    clear = state["clear"]
    if not clear and not said["alerts"] and (not health or (len(health) == len(SENSORS) and all(health.values()))):
        state["clear"] = dict.fromkeys(spoken_of, time)
        return True
    unknown = [name for name in spoken_of if name not in clear]
    if not unknown:
        return False
    codes = {alert["code"] for alert in said["alerts"]}
    for name in unknown:
        if name in SENSORS and name not in health:
            continue
        if name in codes or (name in SENSORS and health[name] is False):
            state["held"][name] = time
        else:
            clear[name] = time
    return True


_SPOKEN_OF = {
    (battery, health, derived): (
        *((LOW_BATTERY,) if battery else ()),
        *((SENSOR_UNHEALTHY, *SENSORS) if health else ()),
        *((NO_FLY_ZONE, OUTSIDE_GEOFENCE) if derived is not None else ()),
        *((ALTITUDE_LIMIT,) if derived else ()),
    )
    for battery in (False, True)
    for health in (None, True)
    for derived in (None, False, True)
}
"""Which conditions a message may speak of that has a battery, sensors, a place (True: and a height there)."""


def _settle(state: DroneState) -> None:
    clear = state["clear"]
    state["clear"] = _in_order(clear, CONDITIONS)
    state["held"] = {name: time for name, time in _in_order(state["held"], CONDITIONS).items() if name not in clear}


def merge(state: DroneState | None, patch: DroneState) -> DroneState:
    """The least state that knows both; either may be of the version before. Raises ValueError for states of two
    drones."""
    b = current(patch)
    if state is None:
        return b
    a = current(state)
    if a["id"] != b["id"]:
        raise ValueError(f"states of {a['id']} and {b['id']} are not of one drone")
    newer = a if (a["lastSeen"], a["seen"]) >= (b["lastSeen"], b["seen"]) else b
    clear = dict(b["clear"])
    named = len(clear)
    for name, time in a["clear"].items():
        if name not in clear or clear[name] < time:
            clear[name] = time
    held = b["held"]
    if held or a["held"]:
        held = dict(held)
        for name, time in a["held"].items():
            held[name] = min(time, held.get(name, time))
    merged: DroneState = {
        "id": a["id"],
        "layers": _merged_layers(a["layers"], b["layers"]),
        "last": _last(a["last"], b["last"]),
        "lastSeen": newer["lastSeen"],
        "seen": newer["seen"],
        "clear": clear,
        "held": held,
    }
    if held or len(clear) != named:  # what the patch names stands in order already
        _settle(merged)
    return merged


def current(state: DroneState) -> DroneState:
    """The state as this version has it."""
    return state if "layers" in state else merge_old.upgraded(state, REGISTERS, _ID_LENGTH)


def registers(state: DroneState) -> dict[str, tuple[Any, str]]:
    """Each known field's value and message time (canonical)."""
    known: dict[str, tuple[Any, str]] = {}
    for layer in current(state)["layers"]:
        time = times.from_microseconds(layer[0])
        for name, value in layer[_VALUES].items():
            known[name] = value, time
    return known


def canonical(state: DroneState) -> bytes:
    """The bytes of a state, the same whatever JSON library it went through."""
    return json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _merged_layers(a: list[Layer], b: list[Layer]) -> list[Layer]:
    """Both lists' registers, of each the one with the larger stamp."""
    if len(a) == len(b) == 1 and a[0][_VALUES].keys() <= b[0][_VALUES].keys() and a[0][:_VALUES] < b[0][:_VALUES]:
        return b  # a newer message that says all that was known: nearly every one
    merged: list[Layer] = []
    known: set[str] = set()
    i = j = 0
    while i < len(a) or j < len(b):
        if j == len(b) or (i < len(a) and a[i][:_VALUES] > b[j][:_VALUES]):
            layer = a[i]
            i += 1
        elif i == len(a) or b[j][:_VALUES] > a[i][:_VALUES]:
            layer = b[j]
            j += 1
        else:
            layer = [*a[i][:_VALUES], _same_message(a[i][_VALUES], b[j][_VALUES])]
            i += 1
            j += 1
        values: dict[str, Any] = layer[_VALUES]
        if known.isdisjoint(values):
            merged.append(layer)
        else:
            fresh = {name: value for name, value in values.items() if name not in known}
            if fresh:
                merged.append([*layer[:_VALUES], fresh])
        known.update(values)
    return merged


def _same_message(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """One message enriched under two registries or zone files: either may arrive first, so the values decide."""
    if a == b:
        return a
    both = {**a, **b}
    for name in a.keys() & b.keys():
        both[name] = max(a[name], b[name], key=_text)
    return _in_order(both, REGISTERS)


def _last(a: list[Any], b: list[Any]) -> list[Any]:
    """Of the larger stamp; of one, where it was delivered first."""
    stamp_a, stamp_b = a[:_VALUES], b[:_VALUES]
    if stamp_a != stamp_b:
        return a if stamp_a > stamp_b else b
    return min(a, b, key=merge_old.first_delivery)


def _in_order(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values} if len(values) > 1 else values


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
