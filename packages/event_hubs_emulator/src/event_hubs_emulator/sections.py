"""The sections of a message: where they are, what they may hold, and in which order consumers get them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .amqp.decoding import decode, frame_of, skip
from .amqp.errors import DecodeError
from .amqp.portable import check
from .amqp.types import Symbol

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES = range(0x70, 0x75)
DATA, SEQUENCE, VALUE, FOOTER = range(0x75, 0x79)
PARTITION_KEY = Symbol("x-opt-partition-key")

_BODIES = (DATA, SEQUENCE, VALUE)
_MAPS = (DELIVERY_ANNOTATIONS, ANNOTATIONS, APPLICATION_PROPERTIES, FOOTER)
_MOST_FIELDS = {HEADER: 5, PROPERTIES: 13}
_NULL = b"\x40"
_NULL_VALUE = bytes((0x00, 0x53, VALUE)) + _NULL
_U32 = struct.Struct(">I").unpack_from
# Set by the hub alone: whatever a sender says about them is not kept.
_OWN_ANNOTATIONS = frozenset(
    {"x-opt-sequence-number", "x-opt-offset", "x-opt-enqueued-time", "x-opt-publisher", PARTITION_KEY}
)
# As the service has it. A hash is computed of it, letter by letter.
_LONGEST_KEY = 128

# Devices repeat their properties; what was checked once need not be checked again. Bounded by being emptied.
_known: dict[bytes, tuple[bytes, tuple[str, ...]]] = {}
_KNOWN_LIMIT = 4096


class Parsed(NamedTuple):
    """The sections of a message, by code; all are values, encoded and fit for every consumer."""

    single: dict[int, bytes]  # all but bodies
    bodies: list[bytes]  # whole sections
    changes: tuple[str, ...]  # the types that had to be rewritten
    as_sent: bool  # in the order of the specification, and nothing rewritten
    properties_at: int  # where properties start, or what comes instead of them
    body_at: int  # where the body starts


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
    if not isinstance(code, int) or not HEADER <= code <= FOOTER:
        raise DecodeError(f"no message section has the descriptor {code!r:.40}")
    return code, start, skip(payload, start)


def parse_sections(message: bytes) -> Parsed:
    """Check the sections of a message. Raises DecodeError, and IndexError where one is cut off.

    The specification has an order; clients that keep another one (a footer before the body, delivery annotations at the
    end) are understood.
    """
    single: dict[int, bytes] = {}
    bodies: list[bytes] = []
    changes: set[str] = set()
    body_code = previous = -1
    as_sent = True
    position, size = 0, len(message)
    if not size:
        raise DecodeError("a message has no section")
    properties_at = body_at = size
    while position < size:
        code, start, end = section_at(message, position)
        if code in _BODIES:
            if body_code not in (-1, code) or (code == VALUE and bodies):
                raise DecodeError("a message has more than one body")
            if code == DATA and message[start:end] == _NULL:
                # The `body: null` of the JavaScript SDK. azure-eventhub wants bytes in a data section.
                bodies.append(_NULL_VALUE)
                as_sent = False
            elif code == DATA:
                start_of_binary(message, start)
                bodies.append(b"\x00\x53\x75" + message[start:end])
            else:
                value, changed = checked(code, message[start:end])
                changes.update(changed)
                as_sent = as_sent and not changed
                bodies.append(bytes((0x00, 0x53, code)) + value)
            if body_code == -1:
                body_code, body_at = code, position
        else:
            if code in single:
                raise DecodeError("a message has two sections of one kind")
            single[code], changed = checked(code, message[start:end])
            changes.update(changed)
            as_sent = as_sent and single[code] == message[start:end]
        if code >= PROPERTIES:
            properties_at = min(properties_at, position)
        as_sent = as_sent and code >= previous and start == position + 3
        previous, position = code, end
    if len(bodies) > 1:
        # Beside others it is just empty.
        bodies = [b"\x00\x53\x75\xa0\x00" if body == _NULL_VALUE else body for body in bodies]
    return Parsed(single, bodies, tuple(sorted(changes)), as_sent, properties_at, min(body_at, size))


def start_of_binary(payload: bytes, start: int) -> int:
    """Where the bytes of a data section begin whose value is at `start`. Raises DecodeError."""
    constructor = payload[start]
    if constructor == 0xB0:
        return start + 5
    if constructor == 0xA0:
        return start + 2
    raise DecodeError("a data section is not binary")


def checked(code: int, raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The value of a section, fit for every consumer, and the types that were rewritten for it. Raises DecodeError."""
    key = bytes((code,)) + raw
    found = _known.get(key)
    if found is not None:
        return found
    _check_shape(code, raw)
    found = check(raw)
    if len(key) <= 512:
        if len(_known) >= _KNOWN_LIMIT:
            _known.clear()
        _known[key] = found
    return found


def _check_shape(code: int, raw: bytes) -> None:
    constructor = raw[0]
    if code in _MOST_FIELDS:
        fields = 0 if constructor == 0x45 else frame_of(raw, 1, constructor)[0] if constructor in (0xC0, 0xD0) else 99
        if fields > _MOST_FIELDS[code]:
            raise DecodeError("a header or properties are not a list of their fields")
    elif code in _MAPS and constructor not in (0xC1, 0xD1, 0x40):
        raise DecodeError("annotations, application properties or a footer are not a map")
    elif code == SEQUENCE and constructor not in (0x45, 0xC0, 0xD0):
        raise DecodeError("a sequence section is not a list")


def partition_key_of(annotations: bytes) -> str | None:
    """The partition key in message annotations, a map or null. Raises DecodeError."""
    key, _, _ = own_and_foreign(annotations)
    return key


def own_and_foreign(annotations: bytes) -> tuple[str | None, bytes, int]:
    """(partition key, encoded entries that are the sender's own affair, their number) of message annotations.

    `annotations` is a checked map, or null. Raises DecodeError.
    """
    if annotations == _NULL:
        return None, b"", 0
    count, position, _ = frame_of(annotations, 1, annotations[0])
    key: str | None = None
    entries = []
    for _ in range(count // 2):
        name, value_at = decode(annotations, position)
        end = skip(annotations, value_at)
        if name == PARTITION_KEY:
            key = _key(decode(annotations, value_at)[0])
        elif name not in _OWN_ANNOTATIONS:
            entries.append(annotations[position:end])
        position = end
    return key, b"".join(entries), len(entries)


def _key(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or not value:
        return None
    if len(value) > _LONGEST_KEY:
        raise DecodeError(f"a partition key has at most {_LONGEST_KEY} characters, not {len(value)}")
    return str(value)


def assembled(parsed: Parsed, *codes: int) -> bytes:
    """The sections with these codes that the message has and that hold something, in this order."""
    single = parsed.single
    return b"".join(
        bytes((0x00, 0x53, code)) + single[code] for code in codes if code in single and single[code] != _NULL
    )
