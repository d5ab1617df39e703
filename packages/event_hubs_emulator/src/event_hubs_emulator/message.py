"""Events on their way in (split a send into events) and out (annotate them once, when they are stored)."""

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
PARTITION_KEY = Symbol("x-opt-partition-key")
_KEY_ENTRY = b"\xa3\x13x-opt-partition-key"
# Set by the hub alone: whatever a sender says about them is not kept.
_OWN_ANNOTATIONS = frozenset(
    {"x-opt-sequence-number", "x-opt-offset", "x-opt-enqueued-time", "x-opt-publisher", "x-opt-partition-key"}
)

_MAP32 = struct.Struct(">4sII").pack


class Event(NamedTuple):
    """One event as sent, split where the hub's annotations go; all parts are encoded."""

    header: bytes
    annotations: bytes  # entries of the sender's own message annotations, partition key included
    annotation_count: int  # of these entries
    body: bytes  # properties to footer, untouched


class Sent(NamedTuple):
    """What one transfer carried."""

    partition_key: str | None
    events: list[Event]


def split(payload: bytes, message_format: int) -> Sent:
    """Split the payload of one transfer into its events. Raises DecodeError for anything that is not whole AMQP."""
    if message_format == BATCH_FORMAT:
        return _split_batch(payload)
    if message_format != 0:
        raise DeliveryFault(
            NOT_IMPLEMENTED, f"no message format 0x{message_format:08x}; 0 and 0x{BATCH_FORMAT:08x} are known"
        )
    event, key = _split_event(payload, None)
    return Sent(key, [event])


def _split_batch(payload: bytes) -> Sent:
    envelope_key: str | None = None
    position, size = 0, len(payload)
    bodies: list[bytes] = []
    while position < size:
        code, start, end = section_at(payload, position)
        if code == _DATA:
            bodies.append(_binary(payload, start, end))
        elif code == _ANNOTATIONS:
            envelope_key = _key_of(_annotation_map(payload, start))
        elif code in (_SEQUENCE, VALUE):
            raise DecodeError("a batch holds its events in data sections")
        position = end
    events = []
    key = envelope_key
    for number, body in enumerate(bodies):
        event, own_key = _split_event(body, envelope_key)
        if number == 0 and key is None:
            key = own_key
        events.append(event)
    if not events:
        raise DecodeError("a batch holds no event")
    return Sent(key, events)


def _split_event(payload: bytes, default_key: str | None) -> tuple[Event, str | None]:
    position, size = 0, len(payload)
    header = annotations = b""
    count = 0
    key = default_key
    # Most events start with their properties or body; the sections before are the ones that are rewritten.
    while position < size:
        code, start, end = section_at(payload, position)
        if code == _HEADER:
            header = b"\x00\x53\x70" + payload[start:end]
        elif code == _ANNOTATIONS:
            values = _annotation_map(payload, start)
            key = _key_of(values) or default_key
            annotations, count = _own_entries(payload, start, values)
        elif code != _DELIVERY_ANNOTATIONS:
            break
        position = end
    body = _checked_body(payload, position)
    if key is not None:
        annotations += _KEY_ENTRY + string(key)
        count += 1
    if len(header) > 0xFFFF:
        raise DecodeError("the header section is larger than its fields can be")
    return Event(header, annotations, count, body), key


def section_at(payload: bytes, position: int) -> tuple[int, int, int]:
    """(code, start of the value, end) of the section at `position`."""
    if payload[position : position + 2] == b"\x00\x53" and position + 3 < len(payload):
        code, start = payload[position + 2], position + 3
    else:
        if payload[position] != 0:
            raise DecodeError("a message is not made of sections")
        descriptor, start = decode(payload, position + 1)
        if not isinstance(descriptor, int):
            raise DecodeError("a section has no numeric descriptor")
        code = descriptor
    if not _HEADER <= code <= _FOOTER:
        raise DecodeError(f"no message section has the descriptor {code}")
    return code, start, skip(payload, start)


def _binary(payload: bytes, start: int, end: int) -> bytes:
    constructor = payload[start]
    if constructor == 0xB0:
        return payload[start + 5 : end]
    if constructor == 0xA0:
        return payload[start + 2 : end]
    raise DecodeError("a data section is not binary")


def _annotation_map(payload: bytes, start: int) -> dict[Any, Any]:
    values, _ = decode(payload, start)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise DecodeError("message annotations are not a map")
    return values


def _key_of(annotations: dict[Any, Any]) -> str | None:
    value = annotations.get(PARTITION_KEY)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) and value else None


def _own_entries(payload: bytes, start: int, values: dict[Any, Any]) -> tuple[bytes, int]:
    if not values or (len(values) == 1 and PARTITION_KEY in values):
        return b"", 0
    small = payload[start] == 0xC1
    count = payload[start + 2] if small else int.from_bytes(payload[start + 5 : start + 9], "big")
    position = start + (3 if small else 9)
    entries = []
    for _ in range(count // 2):
        name, value_at = decode(payload, position)
        end = skip(payload, value_at)
        if name not in _OWN_ANNOTATIONS:
            entries.append(payload[position:end])
        position = end
    return b"".join(entries), len(entries)


_RANK = {PROPERTIES: 0, APPLICATION_PROPERTIES: 1, _DATA: 2, _SEQUENCE: 2, VALUE: 2, _FOOTER: 3}
# Devices repeat their properties; what was decoded once need not be decoded again. Bounded by being emptied.
_known_good: set[bytes] = set()
_KNOWN_LIMIT = 4096


def _checked_body(payload: bytes, position: int) -> bytes:
    """The sections from `position` on, if each is whole and decodes: consumers must never meet one that does not."""
    first, size = position, len(payload)
    rank = 0
    normal = True
    while position < size:
        code, start, end = section_at(payload, position)
        if code not in _RANK or _RANK[code] < rank:
            raise DecodeError("the sections of a message are out of order")
        rank = _RANK[code]
        if code == _DATA:
            if payload[start] not in (0xA0, 0xB0):
                raise DecodeError("a data section is not binary")
        else:
            _check_section(code, payload[start:end])
        if start != position + 3:
            normal = False
        position = end
    if normal:
        return payload[first:] if first else payload
    return _renormalised(payload, first)


def _renormalised(payload: bytes, position: int) -> bytes:
    pieces = []
    while position < len(payload):
        code, start, end = section_at(payload, position)
        pieces.append(bytes((0x00, 0x53, code)) + payload[start:end])
        position = end
    return b"".join(pieces)


def _check_section(code: int, raw: bytes) -> None:
    known = bytes((code,)) + raw
    if known in _known_good:
        return
    value, _ = decode(raw)
    if code == PROPERTIES and not isinstance(value, list):
        raise DecodeError("properties are not a list")
    if code in (APPLICATION_PROPERTIES, _FOOTER) and not isinstance(value, dict):
        raise DecodeError("application properties or a footer are not a map")
    if code == _SEQUENCE and not isinstance(value, list):
        raise DecodeError("a sequence section is not a list")
    if len(known) <= 512:
        if len(_known_good) >= _KNOWN_LIMIT:
            _known_good.clear()
        _known_good.add(known)


def render(event: Event, sequence_number: int, offset: int, enqueued_ms: int) -> tuple[int, bytes]:
    """The event as consumers get it: (length of its header section, all bytes)."""
    text = b"%d" % offset
    entries = b"".join(
        (
            b"\xa3\x15x-opt-sequence-number\x81",
            sequence_number.to_bytes(8, "big"),
            b"\xa3\x0cx-opt-offset\xa1",
            bytes((len(text),)),
            text,
            b"\xa3\x13x-opt-enqueued-time\x83",
            enqueued_ms.to_bytes(8, "big", signed=True),
            event.annotations,
        )
    )
    count = 6 + 2 * event.annotation_count
    size = len(entries)
    if size < 255 and count < 256:
        section = b"\x00\x53\x72\xc1" + bytes((size + 1, count)) + entries
    else:
        section = _MAP32(b"\x00\x53\x72\xd1", size + 4, count) + entries
    header = event.header
    return len(header), header + section + event.body
