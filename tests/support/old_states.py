"""States as the version before kept them: what it said of a message, and how it merged, written down directly."""

from __future__ import annotations

from typing import Any, cast

from telemetry.model import DroneState, Message

_TOP = {"battery": "battery", "flightMode": "flightModeNumber", "groundSpeed": "groundSpeed", "heading": "heading"}


def old_state(messages: list[Message]) -> DroneState:
    """Per field value, time and id of the message with the largest (time, id); ids determine their message."""
    registers: dict[str, Any] = {}
    for message in messages:
        said: Any = message
        stamp = [said["time"], said["id"]]
        found = {name: said[key] for name, key in _TOP.items() if key in said}
        for group in ("position", "health"):
            found |= said.get(group, {})
        for name, value in found.items():
            if name not in registers or registers[name][1:] <= stamp:
                registers[name] = [value, *stamp]
    top = max([m["time"], m["id"]] for m in messages)
    first = min(
        [m["enqueuedAt"], m["partition"], m["sequenceNumber"], m["index"]]
        for m in messages
        if [m["time"], m["id"]] == top
    )
    state: Any = {
        "id": messages[0]["deviceId"],
        "registers": registers,
        "lastSeen": max(m["enqueuedAt"] for m in messages),
        "last": [*top, *first],
    }
    return cast(DroneState, state)
