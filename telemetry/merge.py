"""The drone's latest state: one last-writer-wins register per field, so that order and repetition never show.

A state is ``{"id", "registers": {field: [value, time, message id]}, "lastSeen", "last": [time, message id, enqueuedAt,
partition, sequenceNumber, index]}``. A register's stamp is (time, message id); the larger one wins. Merging is
commutative, associative and idempotent, and a state is built in one order of keys, so equal states are equal bytes
under any JSON writer that keeps the order of keys. No value is ever computed with: what a device sent is what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from telemetry.model import DroneState, Message

Register = list[Any]

POSITION = ("latitude", "longitude", "altitude")
_DERIVED = ("zones", "noFly", "outsideGeofence", "distanceFromHome")
HEALTH = ("gyrometer", "accelerometer", "magnetometer")
REGISTERS = (
    "battery",
    "flightMode",
    *POSITION,
    *HEALTH,
    "groundSpeed",
    "heading",
    "derived",
    "altitudeLimitExceeded",
)
"""In the order a state holds them. ``flightMode`` keeps the number as sent. ``derived`` is what enrichment found at a
position; whether it is too high stands apart, because a message may give a position without an altitude."""


def merge_messages(messages: Iterable[Message]) -> dict[str, DroneState]:
    """One state per device id out of (enriched) messages."""
    states: dict[str, DroneState] = {}
    oldest: dict[str, str] = {}
    # From the latest on: what is known then stays, and most earlier messages have nothing to add.
    for message in sorted(messages, key=itemgetter("time"), reverse=True):
        device_id, time = message["deviceId"], message["time"]
        state = states.get(device_id)
        if state is None:
            states[device_id] = from_message(message)
        elif time == oldest[device_id]:
            states[device_id] = merge(state, from_message(message))
        else:
            _add_older(state, message)
        oldest[device_id] = time
    return states


def _add_older(state: DroneState, message: Message) -> None:
    """Merge in place a message whose stamp is smaller than any in the state."""
    known = state["registers"]
    if len(known) < len(REGISTERS):
        registers = {**from_message(message)["registers"], **known}
        if len(registers) > len(known):
            state["registers"] = {name: registers[name] for name in REGISTERS if name in registers}
    if message["enqueuedAt"] > state["lastSeen"]:
        state["lastSeen"] = message["enqueuedAt"]


def from_message(message: Message) -> DroneState:
    """The state of a drone of which only this message is known."""
    time, identity = message["time"], message["id"]
    registers: dict[str, Register] = {}
    # No value is ever None: what a message does not say is absent.
    value = message.get("battery")
    if value is not None:
        registers["battery"] = [value, time, identity]
    value = message.get("flightModeNumber")
    if value is not None:
        registers["flightMode"] = [value, time, identity]
    position = message.get("position")
    if position:
        for name in POSITION:
            if name in position:
                registers[name] = [position[name], time, identity]
    health = message.get("health")
    if health:
        for name in HEALTH:
            if name in health:
                registers[name] = [health[name], time, identity]
    value = message.get("groundSpeed")
    if value is not None:
        registers["groundSpeed"] = [value, time, identity]
    value = message.get("heading")
    if value is not None:
        registers["heading"] = [value, time, identity]
    derived = message.get("derived")
    if derived is not None:
        registers["derived"] = [{name: derived[name] for name in _DERIVED if name in derived}, time, identity]
        value = derived.get("altitudeLimitExceeded")
        if value is not None:
            registers["altitudeLimitExceeded"] = [value, time, identity]
    enqueued_at = message["enqueuedAt"]
    return {
        "id": message["deviceId"],
        "registers": registers,
        "lastSeen": enqueued_at,
        "last": [time, identity, enqueued_at, message["partition"], message["sequenceNumber"], message["index"]],
    }


def merge(state: DroneState | None, patch: DroneState) -> DroneState:
    """The least state that knows both. Raises ValueError for states of two drones."""
    if state is None:
        return patch
    if state["id"] != patch["id"]:
        raise ValueError(f"states of {state['id']} and {patch['id']} are not of one drone")
    mine, theirs = state["registers"], patch["registers"]
    registers: dict[str, Register] = {}
    for name in REGISTERS:
        a, b = mine.get(name), theirs.get(name)
        if b is None:
            if a is not None:
                registers[name] = a
        else:
            registers[name] = b if a is None else _later(a, b)
    seen_a, seen_b = state["lastSeen"], patch["lastSeen"]
    return {
        "id": state["id"],
        "registers": registers,
        "lastSeen": seen_a if seen_a >= seen_b else seen_b,
        "last": _last(state["last"], patch["last"]),
    }


def canonical(state: DroneState) -> bytes:
    """The bytes of a state, the same whatever JSON library it went through."""
    return json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _later(a: Register, b: Register) -> Register:
    if a[1] != b[1]:
        return a if a[1] > b[1] else b
    if a[2] != b[2]:
        return a if a[2] > b[2] else b
    # One message enriched under two registries or zone files: either may arrive first, so the values decide.
    return a if _text(a[0]) > _text(b[0]) else b


def _last(a: list[Any], b: list[Any]) -> list[Any]:
    stamp_a, stamp_b = a[:2], b[:2]
    if stamp_a != stamp_b:
        return a if stamp_a > stamp_b else b
    return a if a[2:] <= b[2:] else b


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
