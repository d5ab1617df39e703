"""CloudEvents 1.0: an envelope around any other format.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/ (``spec.md``, ``formats/json-format.md``,
``bindings/amqp-protocol-binding.md``, ``bindings/kafka-protocol-binding.md``). Structured, batch and binary mode; the
properties' prefix is ``cloudEvents_`` or ``cloudEvents:`` in AMQP, ``ce_`` in Kafka and ``ce-`` in HTTP.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

from telemetry.decoding import MAX_MESSAGES, decode_event, media_type_of
from telemetry.formats.shapes import Context
from telemetry.model import EventContext
from telemetry.rejection import EventRejected

TOPIC = "topic"
"""The application property that a subject becomes: brokers put the topic there."""

_STRUCTURED = ("application/cloudevents+json", "application/cloudevents-batch+json")
_PREFIXES = ("cloudevents_", "cloudevents:", "ce-", "ce_")
_KEPT = ("id", "source", "type", "subject")
_VERSION = "specversion"
_DATA = ("data", "data_base64")


class Content(NamedTuple):
    """One value of what the envelope holds, and the whole as it would be with this value alone."""

    value: Any
    source: Any


class Envelope(NamedTuple):
    """An opened envelope: its contents, the context they are read in, its fallback time, its words to be kept."""

    contents: list[Content]
    context: Context
    time: Any
    words: dict[str, Any]


def recognises(value: Any, context: Context) -> bool:
    """By content type, ``specversion`` in the body, or the properties of binary mode."""
    if type(value) is dict and type(value.get("specversion")) is str:
        return "type" in value or media_type_of(context.content_type) in _STRUCTURED
    return context.event is not None and any(_is_version(name) for name in context.event.get("properties", ()))


def _is_version(name: str) -> bool:
    return name[-len(_VERSION) :].lower() == _VERSION and name[: -len(_VERSION)].lower() in _PREFIXES


def opened(value: Any, context: Context) -> Envelope:
    """Raises EventRejected: no data, or data that is not what the envelope says."""
    if type(value) is dict and type(value.get("specversion")) is str:
        return _structured(value, context)
    attributes = _attributes(context.event)
    inner = context._replace(event=_within(context.event, attributes.get("subject")))
    return Envelope([Content(value, value)], inner, attributes.get("time"), _words(attributes))


def _structured(event: dict[str, Any], context: Context) -> Envelope:
    content_type = event.get("datacontenttype")
    content_type = content_type if type(content_type) is str else None
    if event.get("data_base64") is not None:
        data, decoded = decode_event(_from_base64(event["data_base64"]), content_type, None)
    elif type(event.get("data")) is str:
        data, decoded = decode_event(event["data"].encode(), content_type, None)
    elif event.get("data") is not None:
        data, decoded = event["data"], "json"
    else:
        raise EventRejected("empty_body", "the CloudEvent has no data")
    if type(data) is list:
        if len(data) > MAX_MESSAGES:
            raise EventRejected("too_many_messages", f"{len(data)} messages; at most {MAX_MESSAGES} in one event")
        bare = {name: part for name, part in event.items() if name not in _DATA}
        contents = [Content(one, {**bare, "data": one}) for one in data]
    else:
        contents = [Content(data, event)]
    inner = Context(content_type, _within(context.event, event.get("subject")), context.device, decoded)
    return Envelope(contents, inner, event.get("time"), _words(event))


def _from_base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise EventRejected("malformed_encoding", f"data_base64 of the CloudEvent: {error}") from None


def _words(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: attributes[name] for name in _KEPT if attributes.get(name) is not None}


def _attributes(event: EventContext | None) -> dict[str, Any]:
    """The attributes of binary mode, by their names."""
    found: dict[str, Any] = {}
    if event is not None and "properties" in event:
        for name, value in event["properties"].items():
            lower = name.lower()
            if lower.startswith(_PREFIXES):
                found[lower[3 if lower.startswith("ce") else len("cloudEvents:") :]] = value
    return found


def _within(event: EventContext | None, subject: Any) -> EventContext:
    """The context inside: without the envelope's properties, with its subject as the topic."""
    properties: dict[str, Any] = {}
    if event is not None and "properties" in event:
        properties = {
            name: value for name, value in event["properties"].items() if not name.lower().startswith(_PREFIXES)
        }
    if type(subject) is str:
        properties[TOPIC] = subject
    inside: EventContext = {} if event is None else {**event}
    inside.pop("properties", None)
    if properties:
        inside["properties"] = properties
    return inside
