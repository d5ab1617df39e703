"""Events on their way from the host to a worker: plain tuples, and what a worker makes of one.

``(body, sequence number, offset, enqueued ms, partition key, more)``. `more` is None for an event without application
properties, annotations of its own and message properties, as most are; else these three, as plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions_host.eventhubs.amqp_values import plain_or_text, text_of
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.metadata import body_of

WireEvent = tuple[Any, ...]


def wired(event: ReceivedEvent, *, binary: bool) -> WireEvent:
    more = None
    if event.properties or event.annotations or event.message_properties:
        more = (_plain(event.properties), _plain(event.annotations), _plain(event.message_properties))
    return (
        body_of(event, binary=binary),
        event.sequence_number,
        event.offset,
        event.enqueued,
        event.partition_key,
        more,
    )


def received(event: WireEvent) -> ReceivedEvent:
    *fields, more = event
    return ReceivedEvent(*fields, *(more or ()))


def _plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {text_of(name): plain_or_text(value) for name, value in values.items()}
