"""What comes with an event besides its body: kept for good, so that a replay sees what the first run saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from telemetry.model import EventContext
from telemetry.rules import Rules

MAX_BYTES = 16 * 1024
"""Of one event's context as JSON."""
MAX_CONTENT_TYPE = 256

PARTITION_KEY = "partition-key"
BODY_TYPE, BODY_ERROR = "body-type", "body-error"
"""System properties of the local host: ``value`` or ``sequence`` where the body is no data; why it is unreadable."""
DEVICE_ANNOTATION = "iothub-connection-device-id"
CREATED_ANNOTATION = "iothub-creation-time-utc"
ENQUEUED_ANNOTATION = "iothub-enqueuedtime"
NAMED_BY = {"iothub": f"annotation {DEVICE_ANNOTATION}", "partition_key": "partition key"}
"""What names the device, by ``DEVICE_ID_SOURCE``; there is nothing beside the body for ``body``."""

_KEPT_SYSTEM = frozenset({"message-id", "correlation-id", BODY_TYPE, BODY_ERROR})
_CONTENT = frozenset({"content-type", "content-encoding"})
_LONGEST_NAME = 128
_MOST_NAMES = 32
_LONGEST_NAMES = 1024
_MOST_REMEMBERED = 512


def content_of(properties: Any, system: Any) -> tuple[str | None, str | None]:
    """Content type and encoding: an application property stands before the AMQP property of that name."""
    named: dict[str, str] = {}
    for some in (system, properties):
        if not some or not isinstance(some, dict):
            continue
        for name, lower in _known_names(tuple(some)).content:
            value = some[name]
            if isinstance(value, str) and value:
                named[lower] = value[:MAX_CONTENT_TYPE]
    return named.get("content-type"), named.get("content-encoding")


class _Names(NamedTuple):
    """Of an event's names those that matter, each with the name under which it is kept."""

    content: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]


def _known_names(names: tuple[str, ...]) -> _Names:
    """Most events have the same few names: whoever invents new ones with each must not fill the memory."""
    known = _remembered_names.get(names)
    if known is None:
        known = _names(names)
        if sum(map(len, names)) < _LONGEST_NAMES:
            if len(_remembered_names) >= _MOST_REMEMBERED:
                _remembered_names.clear()
            _remembered_names[names] = known
    return known


def _names(names: tuple[str, ...]) -> _Names:
    lower = [(name, name.lower()) for name in names]
    return _Names(
        tuple(pair for pair in lower if pair[1] in _CONTENT),
        tuple(pair for pair in lower if pair[1] in _KEPT_SYSTEM or pair[1].startswith("iothub-")),
    )


_remembered_names: dict[tuple[str, ...], _Names] = {}


def context_of(partition_key: str | None, properties: Any, system: Any) -> EventContext | None:
    """The context that is kept of an event; None when there is nothing. ``properties`` and ``system`` are what the
    trigger hands over, of whatever type; content type and encoding are kept apart (``content_of``)."""
    wanted: list[tuple[str, str, Any]] = []
    if system and isinstance(system, dict):
        kept_names = _known_names(tuple(system)).kept
        wanted += [("system", kept, system[name]) for name, kept in kept_names if system[name] is not None]
    if properties and isinstance(properties, dict):
        wanted += [("properties", name, value) for name, value in properties.items() if name.lower() not in _CONTENT]
    if not wanted:  # as it nearly always is
        return {"partitionKey": partition_key} if partition_key else None
    context: EventContext = {}
    room = MAX_BYTES
    left_out: list[str] = []
    if partition_key:
        context["partitionKey"] = partition_key
        room -= len(partition_key.encode()) + 20
    groups: dict[str, dict[str, Any]] = {}
    for group, name, value in wanted:
        size = len(orjson.dumps({name: value})) + 4
        if size > room:
            left_out.append(name[:_LONGEST_NAME])
        else:
            room -= size
            groups.setdefault(group, {})[name] = value
    context.update(groups)  # type: ignore[typeddict-item]
    if len(left_out) > _MOST_NAMES:
        left_out[_MOST_NAMES:] = [f"and {len(left_out) - _MOST_NAMES} more"]
    if left_out:
        context["leftOut"] = left_out
    return context


def system_property(context: EventContext | None, name: str) -> Any:
    return None if context is None else context.get("system", {}).get(name)


def property_of(context: EventContext | None, *names: str) -> Any:
    """The first application property of one of these names, whatever their case."""
    properties: Mapping[str, Any] = {} if context is None else context.get("properties", {})
    for name in names:
        if name in properties:
            return properties[name]
    lower = {name.lower(): value for name, value in properties.items()}
    return next((lower[name.lower()] for name in names if name.lower() in lower), None)


def named_device(context: EventContext | None, rules: Rules) -> Any:
    """The device as ``DEVICE_ID_SOURCE`` names it; None when the source says nothing, or is the body."""
    if context is None or rules.device_id_source == "body":
        return None
    if rules.device_id_source == "iothub":
        return system_property(context, DEVICE_ANNOTATION)
    return context.get("partitionKey")
