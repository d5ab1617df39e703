"""An event of the local hub, out of its encoded message."""

from __future__ import annotations

import importlib
import struct
from decimal import Decimal
from functools import lru_cache
from typing import Any

from azure.eventhub import EventData
from event_hubs_emulator.amqp import types
from event_hubs_emulator.amqp.decoding import decode
from event_hubs_emulator.amqp.errors import DecodeError

from functions_host.eventhubs.events import (
    MESSAGE_PROPERTIES,
    ReceivedEvent,
    SharedProperties,
    Unreadable,
    body_bytes,
    from_sdk,
)
from functions_host.eventhubs.tolerant_decoding import decimal_of, tolerant

_U32 = struct.Struct(">I").unpack_from
_I64 = struct.Struct(">q").unpack_from

_SEQUENCE_NUMBER = b"\xa3\x15x-opt-sequence-number\x81"
_OFFSET = b"\xa3\x0cx-opt-offset\xa1"
_ENQUEUED = b"\xa3\x13x-opt-enqueued-time\x83"
_KEY = b"\xa3\x13x-opt-partition-key\xa1"
# Where the three stand, from the start of the entries on: the offset's digits are between the last two.
_NUMBER_AT = len(_SEQUENCE_NUMBER)
_OFFSET_AT = _NUMBER_AT + 8
_DIGITS_AT = _OFFSET_AT + len(_OFFSET)
_ENQUEUED_SIZE = len(_ENQUEUED)
_KEY_SIZE = len(_KEY)

_LIST_0, _LIST_8, _LIST_32, _MAP_8, _MAP_32 = 0x45, 0xC0, 0xD0, 0xC1, 0xD1
_HEADER, _MAP = b"\x00\x53\x70", b"\x00\x53\x72"
_SMALL_DATA, _LARGE_DATA = b"\x00\x53\x75\xa0", b"\x00\x53\x75\xb0"
_MIDDLE = frozenset({b"\x00\x53\x73", b"\x00\x53\x74"})
# Properties that are longer are not likely to come again.
_LONGEST_MIDDLE = 512

_ANNOTATIONS, _PROPERTIES, _APPLICATION, _DATA, _SEQUENCE, _VALUE = range(0x72, 0x78)
_KINDS = {_DATA: "DATA", _SEQUENCE: "SEQUENCE", _VALUE: "VALUE"}
_OWN = frozenset({"x-opt-sequence-number", "x-opt-offset", "x-opt-enqueued-time", "x-opt-partition-key"})
# By their bytes: bits of the exponent, its bias, digits.
_DECIMALS = {4: (8, 101, 7), 8: (10, 398, 16), 16: (14, 6176, 34)}


def read_event(payload: bytes) -> ReceivedEvent:
    """Raises Unreadable for a message that has no sequence number, and nothing else."""
    try:
        return _common(payload) or _any(payload)
    except Exception:
        return _by_sdk(payload)


def _common(payload: bytes) -> ReceivedEvent | None:
    """The event if it has the hub's annotations, perhaps a partition key, and one binary; else None.

    Properties may stand between: what a device says there is the same in all its events, and is decoded once.
    """
    lead = _section_end(payload, 0) if payload[:3] == _HEADER else 0
    if payload[lead : lead + 3] != _MAP:
        return None
    end = _section_end(payload, lead)
    at = lead + (6 if payload[lead + 3] == _MAP_8 else 12)
    digits = at + _DIGITS_AT
    if payload[at : at + _NUMBER_AT] != _SEQUENCE_NUMBER or payload[at + _OFFSET_AT : digits] != _OFFSET:
        return None
    time_at = digits + 1 + payload[digits]
    after = time_at + _ENQUEUED_SIZE + 8
    if payload[time_at : after - 8] != _ENQUEUED:
        return None
    if after == end:
        key = None
    elif payload[after : after + _KEY_SIZE] == _KEY and after + _KEY_SIZE + 1 + payload[after + _KEY_SIZE] == end:
        key = payload[after + _KEY_SIZE + 1 : end].decode("utf-8", "replace")
    else:
        return None
    data = end
    while payload[data : data + 3] in _MIDDLE:
        data = _section_end(payload, data)
    kind = payload[data : data + 4]
    if kind == _SMALL_DATA:
        start = data + 5
        whole = start + payload[data + 4] == len(payload)
    elif kind == _LARGE_DATA:
        start = data + 8
        whole = start + _U32(payload, data + 4)[0] == len(payload)
    else:
        return None
    if not whole or data - end > _LONGEST_MIDDLE:
        return None
    event = ReceivedEvent(
        payload[start:],
        _I64(payload, at + _NUMBER_AT)[0],
        payload[digits + 1 : time_at].decode("ascii"),
        _I64(payload, after - 8)[0],
        key,
    )
    if data > end:
        shared = _middle(payload[end:data])
        event.properties, event.message_properties, event.shared = shared.properties, shared.message_properties, shared
    return event


def _section_end(payload: bytes, at: int) -> int:
    """Where the section at `at` ends, a list or a map. Raises IndexError, struct.error, DecodeError."""
    constructor = payload[at + 3]
    if constructor in (_LIST_8, _MAP_8):
        return at + 5 + payload[at + 4]
    if constructor in (_LIST_32, _MAP_32):
        return int(at + 8 + _U32(payload, at + 4)[0])
    if constructor == _LIST_0:
        return at + 4
    raise DecodeError("a section is neither a list nor a map")


@lru_cache(maxsize=2048)
def _middle(encoded: bytes) -> SharedProperties:
    """Properties and application properties. Raises what `sections` does."""
    found = dict(sections(encoded))
    return SharedProperties(
        native(found.get(_APPLICATION) or {}), _message_properties(native(found.get(_PROPERTIES) or []))
    )


def _any(payload: bytes) -> ReceivedEvent:
    """Section by section, each decoded."""
    found: dict[int, Any] = {}
    bodies: list[Any] = []
    kind = _VALUE
    for code, value in sections(payload):
        if code in _KINDS:
            kind = code
            bodies.append(value)
        else:
            found[code] = value
    annotations = native(found.get(_ANNOTATIONS) or {})
    number = annotations.get("x-opt-sequence-number")
    if not isinstance(number, int):
        raise Unreadable("it has no sequence number")
    body: Any = bodies
    if kind == _VALUE:
        body = native(bodies[0]) if bodies else None
        body = body.encode() if isinstance(body, str) else body
    elif kind == _SEQUENCE:
        body = native(bodies)
    raw, damage = body_bytes(_KINDS[kind], body)
    key, enqueued = annotations.get("x-opt-partition-key"), annotations.get("x-opt-enqueued-time")
    return ReceivedEvent(
        raw,
        number,
        str(annotations.get("x-opt-offset") or ""),
        enqueued if isinstance(enqueued, int) else None,
        None if key is None else str(key),
        native(found.get(_APPLICATION) or {}),
        {name: value for name, value in annotations.items() if name not in _OWN},
        _message_properties(native(found.get(_PROPERTIES) or [])),
        damage,
        _KINDS[kind].lower(),
        damage,
    )


def sections(payload: bytes) -> list[tuple[int, Any]]:
    """Descriptor and value of each section. Raises DecodeError or IndexError."""
    found, position = [], 0
    while position < len(payload):
        described, position = decode(payload, position)
        found.append((int(described.descriptor), described.value))
    return found


def native(value: Any) -> Any:
    """Values without the codec's own types; what azure-eventhub makes of them, but text is text."""
    if isinstance(value, types.Symbol):
        return str(value)
    if isinstance(value, types.Timestamp):
        return int(value)
    if isinstance(value, types.Described):
        return native(value.value)
    if isinstance(value, types.Decimal):
        return _decimal(value.raw)
    if isinstance(value, dict):
        return {native(key): native(item) for key, item in value.items()}
    return [native(item) for item in value] if isinstance(value, list) else value


def _decimal(raw: bytes) -> Decimal:
    exponent_bits, bias, digits = _DECIMALS[len(raw)]
    return decimal_of(raw, exponent_bits=exponent_bits, bias=bias, digits=digits)


def _message_properties(values: list[Any]) -> dict[str, Any]:
    named = zip(MESSAGE_PROPERTIES, values, strict=False)
    return {name.replace("_", "-"): value for name, value in named if value}


def _by_sdk(payload: bytes) -> ReceivedEvent:
    decoder = importlib.import_module("azure.eventhub._pyamqp._decode").decode_payload
    return from_sdk(EventData._from_message(tolerant(decoder)(memoryview(payload))))
