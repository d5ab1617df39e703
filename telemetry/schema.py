"""JSON Schemas of messages and states, out of the table of fields and the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telemetry.fields import FIELDS, GROUPS, LARGEST, Field, of_group
from telemetry.rules import Rules
from telemetry.vocabulary import FLIGHT_MODES

Json = dict[str, Any]

FLIGHT_MODE: Json = {"type": "string", "enum": list(FLIGHT_MODES)}
MODE_NUMBER: Json = {"type": "integer", "description": "The number as the device sent it."}


def value_of(field: Field, rules: Rules | None = None) -> Json:
    """A value of this field as it is kept. Without ``rules`` a limit that a setting moves is left open."""
    if field.name == "flightMode":
        return FLIGHT_MODE
    if field.kind == "boolean":
        return {"type": "boolean"}
    schema: Json = {"type": "number"}
    if rules is not None or field.limits is None:
        low, high = field.bounds(rules)
        if low > -LARGEST:
            schema["minimum"] = low
        if field.open and field.high < LARGEST:
            schema["exclusiveMaximum"] = field.high
        elif not field.open and high < LARGEST:
            schema["maximum"] = high
    said = f"{field.says[:-1]}, in {field.unit}." if field.unit else field.says
    return {**schema, "description": said}


def said_properties(rules: Rules | None = None) -> Json:
    """Of what a device may send: every part may be null or left out."""

    def accepted(field: Field) -> Json:
        return field.schema if field.schema is not None else value_of(field, rules)

    return _properties(lambda fields: {field.name: _nullable(accepted(field)) for field in fields}, _open_group)


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
