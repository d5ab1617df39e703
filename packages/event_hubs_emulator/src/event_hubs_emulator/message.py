"""Split what a producer sends into events. Bodies stay as they are; what would hurt a consumer is refused here."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from .amqp.decoding import decode, skip
from .amqp.encoding import string
from .amqp.errors import NOT_IMPLEMENTED, DecodeError, DeliveryFault
from .amqp.types import Symbol

BATCH_FORMAT = 0x80013700

_HEADER, _DELIVERY_ANNOTATIONS, _ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES = range(0x70, 0x75)
_DATA, _SEQUENCE, VALUE, _FOOTER = range(0x75, 0x79)
_PARTITION_KEY = Symbol("x-opt-partition-key")
_KEY_ENTRY = b"\xa3\x13x-opt-partition-key"
# Set by the hub alone: whatever a sender says about them is not kept.
_OWN_ANNOTATIONS = frozenset(
    {"x-opt-sequence-number", "x-opt-offset", "x-opt-enqueued-time", "x-opt-publisher", _PARTITION_KEY}
)
# Sections come in this order; only data and sequence sections may repeat.
_ORDER = {PROPERTIES: 0, APPLICATION_PROPERTIES: 1, _DATA: 2, _SEQUENCE: 2, VALUE: 2, _FOOTER: 3}
_MOST_FIELDS = {_HEADER: 5, PROPERTIES: 13}
_DATA_8, _DATA_32 = b"\x00\x53\x75\xa0", b"\x00\x53\x75\xb0"
_U32 = struct.Struct(">I").unpack_from

# Devices repeat their properties; what was decoded once need not be decoded again. Bounded by being emptied.
_known_good: set[bytes] = set()
_KNOWN_LIMIT = 4096


class Event(NamedTuple):
    """One event as sent, split where the hub's annotations go; all parts are encoded."""

    header: bytes
    annotations: bytes  # entries of the sender's own message annotations, partition key included
    annotation_count: int  # of these entries
    body: bytes  # properties to footer


class Sent(NamedTuple):
    """What one transfer carried; events with an own key keep it, `partition_key` is the one that routes them all."""

    partition_key: str | None
    events: list[Event]


class _Shape(NamedTuple):
    """The bytes before the body of an event, and what they say: in a batch most events share them."""

    prefix: bytes
    header: bytes
    annotations: bytes
    annotation_count: int
    key: str | None
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
        event, shape = _parse_event(payload, None)
        return Sent(shape.key, [event])
    except (IndexError, struct.error):
        raise DecodeError("a message ends within a section") from None


def _split_batch(payload: bytes) -> Sent:
    """A batch: annotations with the partition key, then a data section for each event, itself an encoded message."""
    envelope_key = first_key = None
    shape: _Shape | None = None
    events: list[Event] = []
    position, size = 0, len(payload)
    while position < size:
        # Nearly all of a batch is data sections in one of two forms, so these are read without a call.
        if payload[position : position + 4] == _DATA_32:
            code, start = _DATA, position + 8
            end = start + _U32(payload, position + 4)[0]
        elif payload[position : position + 4] == _DATA_8:
            code, start = _DATA, position + 5
            end = start + payload[position + 4]
        else:
            code, start, end = section_at(payload, position)
            if code == _DATA:
                start = _start_of_binary(payload, start)
        if end > size:
            raise DecodeError("a data section ends after its batch")
        if code == _DATA:
            message = payload[start:end]
            if shape is not None and message.startswith(shape.prefix) and _is_one_data(message, len(shape.prefix)):
                events.append(Event(shape.header, shape.annotations, shape.annotation_count, message[shape.body_at :]))
            else:
                event, shape = _parse_event(message, envelope_key)
                first_key = first_key if events else shape.key
                events.append(event)
        elif code == _ANNOTATIONS and not events:
            envelope_key = _key_of(_map_of(payload, start))
        elif code in (_ANNOTATIONS, _SEQUENCE, VALUE):
            raise DecodeError("a batch holds annotations and then its events in data sections")
        position = end
    if not events:
        raise DecodeError("a batch holds no event")
    return Sent(envelope_key or first_key, events)


def _is_one_data(message: bytes, position: int) -> bool:
    """Whether one data section is all there is from `position` on."""
    start = message[position : position + 4]
    if start == _DATA_32:
        return len(message) == position + 8 + int(_U32(message, position + 4)[0])
    return start == _DATA_8 and len(message) == position + 5 + message[position + 4]


def _parse_event(message: bytes, default_key: str | None) -> tuple[Event, _Shape]:
    header = annotations = b""
    count, position, size = 0, 0, len(message)
    key = default_key
    while position < size:
        code, start, end = section_at(message, position)
        if code == _HEADER:
            header = b"\x00\x53\x70" + message[start:end]
            _check(code, message[start:end])
        elif code == _ANNOTATIONS:
            values = _map_of(message, start)
            key = _key_of(values) or default_key
            annotations, count = _foreign_entries(message, start, values)
        elif code != _DELIVERY_ANNOTATIONS:
            break
        position = end
    if len(header) > 0xFFFF:
        raise DecodeError("the header section is larger than its fields can be")
    if key is not None:
        annotations += _KEY_ENTRY + string(key)
        count += 1
    body, body_start = _checked_body(message, position)
    shape = _Shape(message[:body_start], header, annotations, count, key, position)
    return Event(header, annotations, count, body), shape


def section_at(payload: bytes, position: int) -> tuple[int, int, int]:
    """(code, start of its value, end) of the section at `position`. Raises DecodeError."""
    start = position + 3
    if payload[position : position + 2] == b"\x00\x53" and start < len(payload):
        code = payload[position + 2]
    else:
        if payload[position] != 0:
            raise DecodeError("a message is not made of sections")
        # Other clients may name a section by a long number; here it always becomes the short one.
        code, start = decode(payload, position + 1)
    if not isinstance(code, int) or not _HEADER <= code <= _FOOTER:
        raise DecodeError(f"no message section has the descriptor {code!r:.40}")
    return code, start, skip(payload, start)


def _start_of_binary(payload: bytes, start: int) -> int:
    constructor = payload[start]
    if constructor == 0xB0:
        return start + 5
    if constructor == 0xA0:
        return start + 2
    raise DecodeError("a data section is not binary")


def _map_of(payload: bytes, start: int) -> dict[Any, Any]:
    values, _ = decode(payload, start)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise DecodeError("annotations are not a map")
    return values


def _key_of(annotations: dict[Any, Any]) -> str | None:
    value = annotations.get(_PARTITION_KEY)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) and value else None


def _foreign_entries(payload: bytes, start: int, values: dict[Any, Any]) -> tuple[bytes, int]:
    """The encoded annotations that are the sender's own affair, and their number."""
    if not values or (len(values) == 1 and _PARTITION_KEY in values):
        return b"", 0
    small = payload[start] == 0xC1
    count = payload[start + 2] if small else _U32(payload, start + 5)[0]
    position = start + (3 if small else 9)
    entries = []
    for _ in range(count // 2):
        name, value_at = decode(payload, position)
        end = skip(payload, value_at)
        if name not in _OWN_ANNOTATIONS:
            entries.append(payload[position:end])
        position = end
    return b"".join(entries), len(entries)


def _checked_body(message: bytes, first: int) -> tuple[bytes, int]:
    """The sections from `first` on, all whole and in order or DecodeError, and where the body proper starts."""
    position, size = first, len(message)
    body_start: int | None = None
    previous, rewritten = -1, False
    pieces: list[bytes] = []
    while position < size:
        code, start, end = section_at(message, position)
        if code == _DELIVERY_ANNOTATIONS:
            # azure-eventhub writes them last. They are for the hop to here, and go no further.
            rewritten, position = True, end
            continue
        repeats = code == previous and code in (_DATA, _SEQUENCE)
        if code not in _ORDER or (not repeats and previous != -1 and _ORDER[code] <= _ORDER[previous]):
            raise DecodeError("the sections of a message are out of order")
        if code == _DATA:
            _start_of_binary(message, start)
        else:
            _check(code, message[start:end])
        if body_start is None and _ORDER[code] >= 2:
            body_start = position
        rewritten = rewritten or start != position + 3
        pieces.append(bytes((0x00, 0x53, code)) + message[start:end])
        previous, position = code, end
    body = b"".join(pieces) if rewritten else message[first:]
    return body, size if body_start is None or rewritten else body_start


def _check(code: int, raw: bytes) -> None:
    known = bytes((code,)) + raw
    if known in _known_good:
        return
    value, _ = decode(raw)
    if code in _MOST_FIELDS and not (isinstance(value, list) and len(value) <= _MOST_FIELDS[code]):
        raise DecodeError("a header or properties are not a list of their fields")
    if code in (APPLICATION_PROPERTIES, _FOOTER) and not isinstance(value, dict):
        raise DecodeError("application properties or a footer are not a map")
    if code == _SEQUENCE and not isinstance(value, list):
        raise DecodeError("a sequence section is not a list")
    if len(known) <= 512:
        if len(_known_good) >= _KNOWN_LIMIT:
            _known_good.clear()
        _known_good.add(known)
