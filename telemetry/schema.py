"""JSON Schemas of messages and states, out of the table of fields and the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telemetry.device_id import DEVICE_ID_PATTERN
from telemetry.fields import FIELDS, FINITE, GROUPS, UNITS, Field, of_group
from telemetry.rules import Rules
from telemetry.vocabulary import FLIGHT_MODES

Json = dict[str, Any]

FLIGHT_MODE: Json = {"type": "string", "enum": list(FLIGHT_MODES)}
MODE_NUMBER: Json = {"type": "integer", "description": "The number as the device sent it."}


def value_of(field: Field, rules: Rules | None = None, *, said: bool = False) -> Json:
    """A value of this field as it is kept, or ``said`` by a device. Without ``rules`` a limit that a setting moves is
    left open."""
    if field.name == "flightMode":
        return field.schema if said else FLIGHT_MODE
    words = {"description": field.says if field.unit is None else f"{field.says} Unit: {UNITS[field.unit]}."}
    if field.kind == "boolean":
        return {"type": "boolean"}
    if field.kind == "text":
        return {"type": "string", "maxLength": field.longest, **words}
    if field.kind == "choice":
        return {"type": "string", "enum": list(field.choices), **words}
    schema: Json = {"type": "number"}
    if field.turns and not said:
        return {**schema, "minimum": 0, "exclusiveMaximum": 360, **words}
    if rules is not None or field.limits is None:
        low, high = field.bounds(rules)
        if low > -FINITE:
            schema["minimum"] = low
        if high < FINITE:
            schema["maximum"] = high
    return {**schema, **words}


def message_schema(rules: Rules | None = None) -> Json:
    """Of one message as a device sends it. Without ``rules`` a limit that a setting moves is left open."""
    example = {
        "deviceId": "falcon-1",
        "timestamp": "2026-03-01T12:00:00.25Z",
        "keyFrame": True,
        **{field.name: field.example for field in of_group(None)},
        **{group: {field.name: field.example for field in of_group(group)} for group in GROUPS},
    }
    return {
        "type": "object",
        "description": "Absent or null means unchanged. Fields beside these are kept and change nothing.",
        "properties": {
            "deviceId": {
                "type": "string",
                "pattern": f"^{DEVICE_ID_PATTERN.pattern}$",
                "description": "Which drone. DEVICE_ID_SOURCE may let the gateway say it instead.",
            },
            "timestamp": {
                "anyOf": [
                    {"type": "string", "description": "Date and time with an offset, as in 2026-03-01T12:00:00.25Z."},
                    {"type": "number", "description": "Since 1970: seconds below 1e11, else milliseconds."},
                    {"type": "null"},
                ],
                "description": "When it was measured; without it the time at which the hub took the event counts.",
            },
            **said_properties(rules),
            "keyFrame": {
                "type": ["boolean", "null"],
                "description": "Whether the message carries everything; any other only what changed.",
            },
        },
        "required": ["deviceId"],
        "examples": [example],
    }


def said_properties(rules: Rules | None = None) -> Json:
    """Of what a device may send: every part may be null or left out."""

    def fields_of(fields: Sequence[Field]) -> Json:
        return {field.name: _nullable(value_of(field, rules, said=True)) for field in fields}

    return _properties(fields_of, _open_group)


def shown_properties() -> Json:
    """Of a drone's state: every part is there, null while it is unknown."""
    return _properties(
        lambda fields: _with_mode_number(
            {field.name: _nullable(value_of(field)) for field in fields if field.merged}, nullable=True
        ),
        lambda properties: _nullable(_closed(properties, properties)),
    )


def kept_properties() -> Json:
    """Of a stored message: what it did not say is not there."""
    return _properties(
        lambda fields: _with_mode_number({field.name: value_of(field) for field in fields}, nullable=False),
        lambda properties: _closed(properties, ()),
    )


def _properties(of: Any, group: Any) -> Json:
    """In the order of the table; ``of`` makes properties of fields, ``group`` an object's schema of properties."""
    properties: Json = {}
    for field in FIELDS:
        if field.group is None:
            properties |= of([field])
        elif field.group not in properties:
            properties[field.group] = group(of(of_group(field.group)))
    assert set(GROUPS) <= properties.keys()
    return properties


def _with_mode_number(properties: Json, *, nullable: bool) -> Json:
    if "flightMode" in properties:
        properties["flightModeNumber"] = _nullable(MODE_NUMBER) if nullable else MODE_NUMBER
    return properties


def _open_group(properties: Json) -> Json:
    return {"type": ["object", "null"], "properties": properties}


def _closed(properties: Json, required: Iterable[str]) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _nullable(schema: Json) -> Json:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "null"}]}
