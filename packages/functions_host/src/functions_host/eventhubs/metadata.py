"""An Event Hubs batch as the real host hands it to Python: bodies and trigger metadata.

What the extension's EventHubTriggerBindingStrategy puts into the binding data is built here, but only when somebody
looks at it: most functions read the events alone, and the arrays cost more than the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import orjson
from azure.eventhub import EventData
from azure.functions import EventHubEvent
from azure.functions.meta import Datum

_OWN_ANNOTATIONS = frozenset(
    {b"x-opt-sequence-number", b"x-opt-offset", b"x-opt-enqueued-time", b"x-opt-partition-key"}
)


class LazyMetadata(Mapping[str, Any]):
    """Trigger metadata: Datum objects that are made when first asked for."""

    __slots__ = ("_made", "_makers")

    def __init__(self, makers: dict[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._makers[name]()
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def body_of(event: EventData, *, binary: bool) -> bytes:
    """The body's bytes. Without dataType binary the real host makes text of it, which only UTF-8 survives."""
    sections = event.body
    try:
        # A map is its keys to a loop, and would lose its values.
        body = None if isinstance(sections, dict) else b"".join(sections)
    except TypeError:
        body = None
    if body is None:
        # An AMQP value or sequence section instead of data: other senders' way, not the SDK's.
        return str(event.body_as_str()).encode()
    if binary or body.isascii():
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode()
    return body


def key_of(event: EventData) -> str | None:
    key = event.partition_key
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key


def batch_metadata(events: list[EventData], context: Mapping[str, str]) -> LazyMetadata:
    """Metadata of cardinality many; every array has one element per event, in order."""
    return LazyMetadata(
        {
            **_contexts(context),
            "PartitionKeyArray": lambda: _strings([key_of(event) or "" for event in events]),
            "OffsetArray": lambda: _strings([str(_offset(event)) for event in events]),
            "OffsetStringArray": lambda: _strings([event.offset or "" for event in events]),
            "SequenceNumberArray": lambda: Datum(
                SimpleNamespace(sint64=[event.sequence_number for event in events]), "collection_sint64"
            ),
            "EnqueuedTimeUtcArray": lambda: _json([_time(event.enqueued_time) for event in events]),
            "PropertiesArray": lambda: _json([_plain(event.properties) for event in events]),
            "SystemPropertiesArray": lambda: _json([system_properties(event) for event in events]),
        }
    )


def event_metadata(event: EventData, context: Mapping[str, str]) -> LazyMetadata:
    """Metadata of cardinality one."""
    return LazyMetadata(
        {
            **_contexts(context),
            "PartitionKey": lambda: Datum(key_of(event), "string"),
            "Offset": lambda: Datum(str(_offset(event)), "string"),
            "OffsetString": lambda: Datum(event.offset, "string"),
            "SequenceNumber": lambda: Datum(event.sequence_number, "int"),
            "EnqueuedTimeUtc": lambda: _json(_time(event.enqueued_time)),
            "Properties": lambda: _json(_plain(event.properties)),
            "SystemProperties": lambda: _json(system_properties(event)),
        }
    )


def system_properties(event: EventData) -> dict[str, Any]:
    """The service's annotations and the message's own properties, with the four names every app reads."""
    found = {
        _text(name): _plain(value) for name, value in event.system_properties.items() if name not in _OWN_ANNOTATIONS
    }
    found["SequenceNumber"] = event.sequence_number
    found["Offset"] = _offset(event)
    found["OffsetString"] = event.offset
    found["PartitionKey"] = key_of(event)
    found["EnqueuedTimeUtc"] = _time(event.enqueued_time)
    return found


def batch_datum(events: list[EventData], *, binary: bool) -> Any:
    bodies = [body_of(event, binary=binary) for event in events]
    return Datum(SimpleNamespace(bytes=bodies), "collection_bytes")


def event_objects(events: list[EventData], metadata: Mapping[str, Any], *, binary: bool) -> list[EventHubEvent]:
    """What EventHubTriggerConverter.decode makes of the batch, without the detour over JSON and six strptime formats.

    A test holds the two against each other.
    """
    return [
        EventHubEvent(
            body=body_of(event, binary=binary),
            trigger_metadata=metadata,
            enqueued_time=event.enqueued_time,
            partition_key=key_of(event),
            sequence_number=event.sequence_number,
            offset=_offset(event),  # an int for cardinality many, as the converter has it
            iothub_metadata=_iothub(event),
        )
        for event in events
    ]


def _iothub(event: EventData) -> dict[str, Any]:
    annotations = event.raw_amqp_message.annotations or {}
    if len(annotations) <= len(_OWN_ANNOTATIONS) and _OWN_ANNOTATIONS.issuperset(annotations):
        return {}
    return {
        name[len("iothub-") :]: _plain(value)
        for name, value in ((_text(key), value) for key, value in annotations.items())
        if name.startswith("iothub-")
    }


def _contexts(context: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    return {"TriggerPartitionContext": lambda: _json(context), "PartitionContext": lambda: _json(context)}


def _offset(event: EventData) -> int:
    """Offsets of geo-replicated namespaces are no numbers: the extension gives -1 then, and OffsetString."""
    try:
        return int(event.offset or -1)
    except ValueError:
        return -1


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    text = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


def _json(value: Any) -> Any:
    return Datum(orjson.dumps(value).decode(), "json")


def _strings(values: list[str]) -> Any:
    return Datum(SimpleNamespace(string=values), "collection_string")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """AMQP values as JSON can carry them."""
    if isinstance(value, dict):
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, datetime):
        return _time(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
