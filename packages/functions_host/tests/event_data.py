"""Event Hubs events as azure-eventhub hands them over from the wire, made without one."""

from __future__ import annotations

from typing import Any

from azure.eventhub import EventData
from azure.eventhub._pyamqp.message import Message, Properties
from functions_host.eventhubs.events import ReceivedEvent, from_sdk


def received(body: bytes, number: int, **options: Any) -> ReceivedEvent:
    """`sdk_event` in the host's own form."""
    return from_sdk(sdk_event(body, number, **options))


def sdk_event(
    body: bytes,
    number: int,
    *,
    key: str | None = None,
    properties: dict[str, Any] | None = None,
    annotations: dict[bytes, Any] | None = None,
    content_type: str | None = None,
    offset: bytes | None = None,
) -> EventData:
    """An event with sequence number `number`, offset 100 times that, enqueued `number` ms after a fixed moment."""
    marks: dict[bytes, Any] = {
        b"x-opt-sequence-number": number,
        b"x-opt-offset": offset or str(number * 100).encode(),
        b"x-opt-enqueued-time": 1_767_225_600_000 + number,
        **(annotations or {}),
    }
    if key is not None:
        marks[b"x-opt-partition-key"] = key.encode()
    message = Message(
        data=[body],
        message_annotations=marks,
        application_properties={name.encode(): value for name, value in (properties or {}).items()},
        properties=Properties(content_type=content_type.encode()) if content_type else None,
    )
    return EventData._from_message(message)
