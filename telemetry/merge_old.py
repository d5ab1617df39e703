"""Drone states of the version before, whose stamps had two parts: ``{"id", "registers": {field: [value, time, message
id]}, "lastSeen", "last": [time, message id, enqueuedAt, partition, sequenceNumber, index]}``, times as text.

Entities keep such states until their next signal, and signals that were under way carry them. The missing parts of a
stamp are zero (an enqueued time of 1970), so that among equal times any delivery that is known counts as later.
"""

from __future__ import annotations

from typing import Any

from telemetry import times
from telemetry.model import DroneState


def upgraded(state: Any, names: tuple[str, ...], id_length: int) -> DroneState:
    """The same state as ``telemetry.merge`` keeps it. A pure function of the state, so that merging stays free of
    order whichever of the two versions each side has."""
    by_stamp: dict[tuple[int, str], dict[str, Any]] = {}
    for name in names:
        register = state["registers"].get(name)
        if register is not None:
            value, time, identity = register
            values = by_stamp.setdefault((times.microseconds(time), identity[:id_length]), {})
            values[name] = value
            if name == "altitude":
                values["altitudeReference"] = None
    layers = [[time, -time, 0, 0, tag, values] for (time, tag), values in sorted(by_stamp.items(), reverse=True)]
    time, identity, enqueued_at, partition, number, index = state["last"]
    moment = times.microseconds(time)
    where = [partition, enqueued_at, number, index]
    return {
        "id": state["id"],
        "layers": layers,
        "last": [moment, -moment, 0, 0, identity[:id_length], *where],
        "lastSeen": state["lastSeen"],
        "seen": [-1, -1, 0],
        "clear": {},
        "held": {},
    }


def first_delivery(last: list[Any]) -> list[Any]:
    """What orders the deliveries of one stamp: the earliest is the smallest. A stamp of five parts has all but the
    partition in it."""
    partition, rest = last[5], last[6:]
    return [rest[0], partition, *rest[1:]] if rest else [partition]


def delivery(last: list[Any]) -> tuple[str, str, int]:
    """Enqueued time (canonical), partition and sequence number of a state's ``last``."""
    if len(last) > 6:
        return last[6], last[5], last[7]
    return times.from_microseconds(last[0] + last[1]), last[5], last[2]
