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

from telemetry.fields import FIELDS, GROUPS, of_group
from telemetry.model import DroneState, Message

Register = list[Any]
_KEYS = {"flightMode": "flightModeNumber"}

REGISTERS = (*(field.name for field in FIELDS if field.merged), "derived", "altitudeLimitExceeded")
"""In the order a state holds them. ``flightMode`` keeps the number as sent. ``derived`` is what enrichment found at a
position; whether it is too high stands apart, because a message may give a position without an altitude."""
_TOP = tuple((field.name, _KEYS.get(field.name, field.name)) for field in of_group(None) if field.merged)
_GROUPS = tuple((group, tuple(field.name for field in of_group(group) if field.merged)) for group in GROUPS)
_DERIVED = ("zones", "noFly", "outsideGeofence", "distanceFromHome")


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
    said: Any = message
    registers: dict[str, Register] = {}
    # No value is ever None: what a message does not say is absent.
    for name, key in _TOP:
        value = said.get(key)
        if value is not None:
            registers[name] = [value, time, identity]
    for group, names in _GROUPS:
        parts = said.get(group)
        if parts:
            for name in names:
                if name in parts:
                    registers[name] = [parts[name], time, identity]
    derived = said.get("derived")
    if derived is not None:
        registers["derived"] = [{name: derived[name] for name in _DERIVED if name in derived}, time, identity]
        value = derived.get("altitudeLimitExceeded")
        if value is not None:
            registers["altitudeLimitExceeded"] = [value, time, identity]
    registers = {name: registers[name] for name in REGISTERS if name in registers}
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
