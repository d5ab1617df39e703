"""Split what a producer sends into events. Bodies stay as they are; what would hurt a consumer is refused here."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .amqp.encoding import string
from .amqp.errors import NOT_IMPLEMENTED, DecodeError, DeliveryFault
from .sections import (
    ANNOTATIONS,
    APPLICATION_PROPERTIES,
    DATA,
    DELIVERY_ANNOTATIONS,
    FOOTER,
    HEADER,
    PROPERTIES,
    SEQUENCE,
    VALUE,
    assembled,
    checked,
    own_and_foreign,
    parse_sections,
    partition_key_of,
    section_at,
    start_of_binary,
)

BATCH_FORMAT = 0x80013700

_KEY_ENTRY = b"\xa3\x13x-opt-partition-key"
_DATA_8, _DATA_32 = b"\x00\x53\x75\xa0", b"\x00\x53\x75\xb0"
_U32 = struct.Struct(">I").unpack_from
_NULL = b"\x40"


class Event(NamedTuple):
    """One event as sent, split where the hub's annotations go; all parts are encoded."""

    header: bytes
    delivery_annotations: bytes
    annotations: bytes  # entries of the sender's own message annotations, partition key included
    annotation_count: int  # of these entries
    body: bytes  # properties to footer


class Sent(NamedTuple):
    """What one transfer carried; events with an own key keep it, `partition_key` is the one that routes them all."""

    partition_key: str | None
    events: list[Event]
    # (number of the event in `events`, types of values in it that had to become others), where there are any
    rewritten: list[tuple[int, tuple[str, ...]]]


class _Shape(NamedTuple):
    """The bytes before the body of an event, and what they say: in a batch most events share them."""

    prefix: bytes
    header: bytes
    delivery_annotations: bytes
    annotations: bytes
    annotation_count: int
    body_at: int  # where properties start


def split(payload: bytes, message_format: int) -> Sent:
    """Split the payload of one transfer into its events.

    Raises DecodeError for anything that is not whole AMQP, and DeliveryFault for an unknown message format.
    """
    if message_format not in (0, BATCH_FORMAT):
        known = f"0 and 0x{BATCH_FORMAT:08x}"
        raise DeliveryFault(NOT_IMPLEMENTED, f"no message format 0x{message_format:08x}; {known} are known")
    try:
        if message_format == BATCH_FORMAT:
            return _split_batch(payload)
        event, key, changes, _ = _parse_event(payload, None)
        return Sent(key, [event], [(0, changes)] if changes else [])
    except (IndexError, struct.error):
        raise DecodeError("a message ends within a section") from None


def _split_batch(payload: bytes) -> Sent:
    """A batch: annotations with the partition key, then a data section for each event, itself an encoded message."""
    envelope_key = first_key = None
    shape: _Shape | None = None
    events: list[Event] = []
    rewritten: list[tuple[int, tuple[str, ...]]] = []
    position, size = 0, len(payload)
    while position < size:
        # Nearly all of a batch is data sections in one of two forms, so these are read without a call.
        if payload[position : position + 4] == _DATA_32:
            code, start = DATA, position + 8
            end = start + _U32(payload, position + 4)[0]
        elif payload[position : position + 4] == _DATA_8:
            code, start = DATA, position + 5
            end = start + payload[position + 4]
        else:
            code, start, end = section_at(payload, position)
            if code == DATA:
                start = start_of_binary(payload, start)
        if end > size:
            raise DecodeError("a data section ends after its batch")
        if code == DATA:
            message = payload[start:end]
            if shape is not None and message.startswith(shape.prefix) and _is_one_data(message, len(shape.prefix)):
                _, header, hop, annotations, count, body_at = shape
                events.append(Event(header, hop, annotations, count, message[body_at:]))
            else:
                event, key, changes, shape = _parse_event(message, envelope_key)
                first_key = first_key if events else key
                if changes:
                    rewritten.append((len(events), changes))
                events.append(event)
        elif code == ANNOTATIONS and not events:
            envelope_key = partition_key_of(checked(code, payload[start:end])[0])
        elif code in (ANNOTATIONS, SEQUENCE, VALUE):
            raise DecodeError("a batch holds annotations and then its events in data sections")
        position = end
    if not events:
        raise DecodeError("a batch holds no event")
    return Sent(envelope_key or first_key, events, rewritten)


def _is_one_data(message: bytes, position: int) -> bool:
    """Whether one data section is all there is from `position` on."""
    start = message[position : position + 4]
    if start == _DATA_32:
        return len(message) == position + 8 + int(_U32(message, position + 4)[0])
    return start == _DATA_8 and len(message) == position + 5 + message[position + 4]


def _parse_event(message: bytes, default_key: str | None) -> tuple[Event, str | None, tuple[str, ...], _Shape | None]:
    """The event in `message`, its partition key, what was rewritten, and its shape if others may share it."""
    parsed = parse_sections(message)
    header = assembled(parsed, HEADER)
    if len(header) > 0xFFFF:
        raise DecodeError("the header section is larger than its fields can be")
    hop = assembled(parsed, DELIVERY_ANNOTATIONS)
    key, annotations, count = own_and_foreign(parsed.single.get(ANNOTATIONS, _NULL))
    key = key or default_key
    if key is not None:
        annotations += _KEY_ENTRY + string(key)
        count += 1
    if parsed.as_sent:
        shape = _Shape(message[: parsed.body_at], header, hop, annotations, count, parsed.properties_at)
        return Event(header, hop, annotations, count, message[parsed.properties_at :]), key, (), shape
    before, after = assembled(parsed, PROPERTIES, APPLICATION_PROPERTIES), assembled(parsed, FOOTER)
    body = b"".join((before, *parsed.bodies, after))
    return Event(header, hop, annotations, count, body), key, parsed.changes, None
