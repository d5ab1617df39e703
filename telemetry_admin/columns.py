"""The columns of the tables that are exported: where each value stands in the API's JSON, its type and its unit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from telemetry.fields import FIELDS, UNITS
from telemetry.times import microseconds, parse_rfc3339

Type = Literal["text", "number", "integer", "boolean", "time", "texts"]
_OF_FIELD: dict[str, Type] = {"number": "number", "boolean": "boolean"}


@dataclass(frozen=True)
class Column:
    """``path`` as in ``position.latitude``; ``unit`` in words, None where there is none."""

    path: str
    type: Type = "text"
    unit: str | None = None
    says: str = ""
    read: Callable[[Any], Any] = lambda value: value

    @property
    def name(self) -> str:
        """The path in letters that every reader of tables takes."""
        return self.path.replace(".", "_")

    def values(self, items: Iterable[Any]) -> list[Any]:
        """One for each item; None where it does not say."""
        first, _, second = self.path.partition(".")
        found = [item.get(first) for item in items]
        if second:
            found = [None if value is None else value.get(second) for value in found]
        return [None if value is None else self.read(value) for value in found]


def _time(text: str) -> int:
    return microseconds(parse_rfc3339(text))


def _codes(alerts: Sequence[Any]) -> list[str]:
    return [alert["code"] if isinstance(alert, dict) else str(alert) for alert in alerts]


def _moment(path: str, says: str) -> Column:
    return Column(path, "time", "microseconds since 1970-01-01T00:00:00Z", says, _time)


_METRES, _SPEED, _FRACTION = UNITS["m"], UNITS["mps"], UNITS["fraction"]

HISTORY: tuple[Column, ...] = (
    _moment("time", "Message time."),
    Column("deviceId"),
    Column("timeSource"),
    Column("format"),
    Column("keyFrame", "boolean"),
    *(
        Column(field.path, _OF_FIELD.get(field.kind, "text"), UNITS[field.unit] if field.unit else None, field.says)
        for field in FIELDS
    ),
    Column("flightModeNumber", "number", None, "As sent.", float),
    Column("derived.zones", "texts"),
    Column("derived.outsideGeofence", "boolean"),
    Column("derived.altitudeLimitExceeded", "boolean"),
    Column("derived.distanceFromHome", "number", _METRES),
    Column("alerts", "texts", None, "Codes.", _codes),
    Column("flags", "texts"),
    Column("extra", "text", None, "JSON of what the device said besides.", json.dumps),
    _moment("enqueuedAt", "When the hub took it."),
    Column("partition"),
    Column("sequenceNumber", "integer"),
    Column("index", "integer", None, "Its place in an event of several messages."),
    Column("batchId"),
    Column("id"),
)
"""Of stored messages (``GET /api/drones/{id}/history``)."""

FLIGHTS: tuple[Column, ...] = (
    Column("id"),
    Column("deviceId"),
    _moment("startedAt", "Message time of its first message."),
    _moment("endedAt", "Message time of its last message; none while it is ongoing."),
    Column("status"),
    Column("durationSeconds", "number", "seconds"),
    Column("distanceMetres", "number", _METRES, "Horizontal, geodesic, point to point."),
    Column("maxHeight", "number", _METRES),
    Column("maxAltitude", "number", _METRES),
    Column("maxGroundSpeed", "number", _SPEED),
    Column("batteryStart", "number", _FRACTION),
    Column("batteryEnd", "number", _FRACTION),
    *(
        Column(f"{place}.{field.name}", _OF_FIELD.get(field.kind, "text"), UNITS[field.unit] if field.unit else None)
        for place in ("takeoff", "landing")
        for field in FIELDS
        if field.group == "position"
    ),
    Column("messages", "integer"),
    Column("alerts", "texts", None, "Codes that its messages had.", _codes),
    Column("mission"),
)
"""Of flights (``GET /api/flights``)."""
