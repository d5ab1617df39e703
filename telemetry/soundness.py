"""Whether something is a drone's state: whoever may signal an entity can send it anything."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from telemetry.fields import FIELDS
from telemetry.merge import CONDITIONS, current
from telemetry.model import DroneState

_KINDS: dict[str, tuple[type, ...]] = {"number": (int, float), "boolean": (bool,), "text": (str,), "choice": (str,)}
_TYPES: dict[str, tuple[type, ...]] = {
    **{field.name: _KINDS[field.kind] for field in FIELDS if field.kind in _KINDS},
    "flightMode": (int, float),
    "altitudeReference": (str, type(None)),
    "altitudeLimitExceeded": (bool, type(None)),
}
_DERIVED: dict[str, tuple[type, ...]] = {
    "zones": (list,),
    "noFly": (bool,),
    "outsideGeofence": (bool, type(None)),
    "distanceFromHome": (int, float, type(None)),
}
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_YEAR_1, _YEAR_9999 = -62_135_596_800_000_000, 253_402_300_799_999_999  # microseconds since 1970
_LARGEST = 2**63


def check_state(state: DroneState) -> None:
    """Raises ValueError, or what Python raises for a shape that is none, unless ``state`` is one, with values of their
    fields' types. Cheap: it is asked at every signal."""
    found: Any = current(state)
    if not (type(found["id"]) is str and _CANONICAL.fullmatch(found["lastSeen"])):
        raise ValueError("id or lastSeen is none")
    _check_stamp(*found["last"][:5])
    _check_delivery(*found["last"][5:])
    sequence_number, index, time = found["seen"]
    _check_stamp(time, 0, sequence_number, index, "")
    for conditions in (found["clear"], found["held"]):
        for name, time in conditions.items():
            if name not in CONDITIONS or type(time) is not int or not _YEAR_1 <= time <= _YEAR_9999:
                raise ValueError(f"{name!r:.100} is no condition with a time")
    for time, delay, sequence_number, index, identity, values in found["layers"]:
        _check_stamp(time, delay, sequence_number, index, identity)
        for name, value in values.items():
            types = _TYPES.get(name)
            if name == "derived":
                _check_derived(value)
            elif types is None or type(value) not in types:  # exactly: true is no number
                raise ValueError(f"{name!r:.100} is of type {type(value).__name__}")
            elif type(value) is float and not isfinite(value):
                raise ValueError(f"{name!r:.100} is no finite number")


def _check_stamp(time: Any, delay: Any, sequence_number: Any, index: Any, identity: Any) -> None:
    if not (
        type(time) is type(delay) is type(sequence_number) is type(index) is int
        and type(identity) is str
        and _YEAR_1 <= time <= _YEAR_9999
        and _YEAR_1 <= time + delay <= _YEAR_9999
        and abs(sequence_number) < _LARGEST
        and abs(index) < _LARGEST
    ):
        raise ValueError("a stamp is none")


def _check_delivery(partition: Any, *before: Any) -> None:
    """What stands behind the stamp of ``last``: the partition; in a state of the version before, its delivery."""
    if type(partition) is not str:
        raise ValueError("last names no partition")
    if before:
        enqueued_at, sequence_number, index = before
        if not _CANONICAL.fullmatch(enqueued_at) or not type(sequence_number) is type(index) is int:
            raise ValueError("last was delivered nowhere")


def _check_derived(value: Any) -> None:
    for name, part in value.items():
        if type(part) not in _DERIVED.get(name, ()):
            raise ValueError(f"derived has {name!r:.100} of type {type(part).__name__}")
        if type(part) is float and not isfinite(part):
            raise ValueError(f"derived has {name!r:.100} that is no finite number")
    if "noFly" not in value or "outsideGeofence" not in value:
        raise ValueError("derived says neither noFly nor outsideGeofence")
    if not all(type(zone) is str for zone in value.get("zones", ())):
        raise ValueError("a zone is no text")
