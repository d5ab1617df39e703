"""Events on their way from the host to a worker: plain tuples, and what a worker makes of one.

``(body, sequence number, offset, enqueued ms, partition key, more)``. `more` is None for an event without application
properties, annotations of its own and message properties, as most are, and with a body of data; else these three, as
plain values, and what is told of the body.
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
    shared = event.shared
    if shared is not None:
        # One object for all of them: it crosses to the worker once in a batch.
        more = shared.wired
        if more is None and (shared.properties or shared.message_properties):
            more = shared.wired = _more(event)
    elif (
        event.properties
        or event.annotations
        or event.message_properties
        or event.damage
        or event.body_damage
        or event.body_type != "data"
    ):
        more = _more(event)
    return (
        body_of(event, binary=binary),
        event.sequence_number,
        event.offset,
        event.enqueued,
        event.partition_key,
        more,
    )


def _more(event: ReceivedEvent) -> tuple[Any, ...]:
    return (
        _plain(event.properties),
        _plain(event.annotations),
        _plain(event.message_properties),
        event.damage,
        event.body_type,
        event.body_damage,
    )


def received(event: WireEvent) -> ReceivedEvent:
    *fields, more = event
    return ReceivedEvent(*fields, *(more or ()))


def _plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {text_of(name): _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    # Nearly all are one of these, and need no further look.
    if type(value) is bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    elif value is None or type(value) in (int, bool):
        return value
    return plain_or_text(value)
