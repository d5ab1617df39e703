"""An Event Hubs batch as the real host hands it to Python: bodies and trigger metadata.

What the extension's EventHubTriggerBindingStrategy puts into the binding data is built here, but only when somebody
looks at it: most functions read the events alone, and the arrays cost more than the events. The events are those that
came over the wire: their properties and annotations are plain values already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import orjson
from azure.functions import EventHubEvent
from azure.functions.meta import Datum

from functions_host.eventhubs.amqp_values import time_text
from functions_host.eventhubs.events import ReceivedEvent


class JsonDatum(Datum):  # type: ignore[misc]
    """A Datum of JSON that becomes text only for who asks for the text; `make` gives a new value each time.

    Who asks for the value, as ``event.metadata`` does, is spared writing and parsing it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.type = "json"
        self._make = make

    @property
    def value(self) -> str:
        return orjson.dumps(self._make()).decode()

    @property
    def python_value(self) -> Any:
        return self._make()


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

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def body_of(event: ReceivedEvent, *, binary: bool) -> bytes:
    """The body's bytes. Without dataType binary the real host makes text of it, which only UTF-8 survives."""
    body = event.body
    if binary or body.isascii():
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode()
    return body


def batch_metadata(events: list[ReceivedEvent], context: Mapping[str, str]) -> LazyMetadata:
    """Metadata of cardinality many; every array has one element per event, in order."""
    return LazyMetadata(
        {
            **_contexts(context),
            "PartitionKeyArray": lambda: _strings([event.partition_key or "" for event in events]),
            "OffsetArray": lambda: _strings([str(_offset(event)) for event in events]),
            "OffsetStringArray": lambda: _strings([event.offset for event in events]),
            "SequenceNumberArray": lambda: Datum(
                SimpleNamespace(sint64=[event.sequence_number for event in events]), "collection_sint64"
            ),
            "EnqueuedTimeUtcArray": lambda: JsonDatum(lambda: [time_text(event.enqueued_time) for event in events]),
            "PropertiesArray": lambda: JsonDatum(lambda: [dict(event.properties) for event in events]),
            "SystemPropertiesArray": lambda: JsonDatum(lambda: [system_properties(event) for event in events]),
        }
    )


def event_metadata(event: ReceivedEvent, context: Mapping[str, str]) -> LazyMetadata:
    """Metadata of cardinality one."""
    return LazyMetadata(
        {
            **_contexts(context),
            "PartitionKey": lambda: Datum(event.partition_key, "string"),
            "Offset": lambda: Datum(str(_offset(event)), "string"),
            "OffsetString": lambda: Datum(event.offset, "string"),
            "SequenceNumber": lambda: Datum(event.sequence_number, "int"),
            "EnqueuedTimeUtc": lambda: JsonDatum(lambda: time_text(event.enqueued_time)),
            "Properties": lambda: JsonDatum(lambda: dict(event.properties)),
            "SystemProperties": lambda: JsonDatum(lambda: system_properties(event)),
        }
    )


def system_properties(event: ReceivedEvent) -> dict[str, Any]:
    """The service's annotations and the message's own properties, with the four names every app reads."""
    found: dict[str, Any] = {**event.message_properties, **event.annotations}
    if event.body_type != "data":
        found["body-type"] = event.body_type
    if event.body_damage:
        found["body-error"] = event.body_damage
    found["SequenceNumber"] = event.sequence_number
    found["Offset"] = _offset(event)
    found["OffsetString"] = event.offset
    found["PartitionKey"] = event.partition_key
    found["EnqueuedTimeUtc"] = time_text(event.enqueued_time)
    return found


def batch_datum(events: list[ReceivedEvent], *, binary: bool) -> Any:
    bodies = [body_of(event, binary=binary) for event in events]
    return Datum(SimpleNamespace(bytes=bodies), "collection_bytes")


def event_objects(events: list[ReceivedEvent], metadata: Mapping[str, Any], *, binary: bool) -> list[EventHubEvent]:
    """What EventHubTriggerConverter.decode makes of the batch, without the detour over JSON and six strptime formats.

    A test holds the two against each other.
    """
    return [
        EventHubEvent(
            body=body_of(event, binary=binary),
            trigger_metadata=metadata,
            enqueued_time=event.enqueued_time,
            partition_key=event.partition_key,
            sequence_number=event.sequence_number,
            offset=_offset(event),  # an int for cardinality many, as the converter has it
            iothub_metadata=_iothub(event),
        )
        for event in events
    ]


def _iothub(event: ReceivedEvent) -> dict[str, Any]:
    return {name[len("iothub-") :]: value for name, value in event.annotations.items() if name.startswith("iothub-")}


def _contexts(context: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    return dict.fromkeys(("TriggerPartitionContext", "PartitionContext"), lambda: JsonDatum(lambda: dict(context)))


def _offset(event: ReceivedEvent) -> int:
    """Offsets of geo-replicated namespaces are no numbers: the extension gives -1 then, and OffsetString."""
    try:
        return int(event.offset or -1)
    except ValueError:
        return -1


def _strings(values: list[str]) -> Any:
    return Datum(SimpleNamespace(string=values), "collection_string")
