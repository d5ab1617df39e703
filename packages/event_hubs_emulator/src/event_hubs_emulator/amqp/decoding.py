"""Decode AMQP values from untrusted bytes: the outcome is a value or a DecodeError, in bounded work."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from .errors import DecodeError
from .types import Decimal, Described, Symbol, Timestamp

# A peer could otherwise nest descriptors or lists until the interpreter's stack ends.
MAX_DEPTH = 32
# Elements of an array may take no bytes at all, so its size does not bound its count. Nobody writes them so.
MAX_EMPTY_ELEMENTS = 16
# Keys whose hashes a sender can make collide (their hash is their value, and they have 128 bits) make a map slow.
MAX_SLOW_KEYS = 64

# Described values, lists, chars and decimals; maps and arrays have higher codes.
_NO_DESCRIPTORS = frozenset({0x00, 0x45, 0x73, 0x74, 0x84, 0x94})

_U32 = struct.Struct(">I").unpack_from
# Bytes after the constructor, by its high nibble; the others carry a size of their own.
_FIXED_WIDTH = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}

Reader = Callable[[bytes], Any]


def _unpacker(fmt: str) -> Reader:
    unpack = struct.Struct(fmt).unpack
    return lambda raw: unpack(raw)[0]


def check_text(raw: bytes) -> str:
    """The text in `raw`. Raises DecodeError."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"a string is not UTF-8: {error}") from None


def _symbol(raw: bytes) -> Symbol:
    return Symbol(raw.decode("latin-1"))


def _char(raw: bytes) -> str:
    code = int.from_bytes(raw, "big")
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise DecodeError("a char is not a Unicode scalar value")
    return chr(code)


_SCALARS: dict[int, Reader] = {
    0x40: lambda raw: None,
    0x41: lambda raw: True,
    0x42: lambda raw: False,
    0x43: lambda raw: 0,
    0x44: lambda raw: 0,
    0x45: lambda raw: [],
    0x50: lambda raw: raw[0],
    0x51: _unpacker(">b"),
    0x52: lambda raw: raw[0],
    0x53: lambda raw: raw[0],
    0x54: _unpacker(">b"),
    0x55: _unpacker(">b"),
    0x56: lambda raw: raw[0] != 0,
    0x60: _unpacker(">H"),
    0x61: _unpacker(">h"),
    0x70: _unpacker(">I"),
    0x71: _unpacker(">i"),
    0x72: _unpacker(">f"),
    0x73: _char,
    0x74: Decimal,
    0x80: _unpacker(">Q"),
    0x81: _unpacker(">q"),
    0x82: _unpacker(">d"),
    0x83: lambda raw: Timestamp(int.from_bytes(raw, "big", signed=True)),
    0x84: Decimal,
    0x94: Decimal,
    0x98: lambda raw: UUID(bytes=raw),
    0xA0: bytes,
    0xA1: check_text,
    0xA3: _symbol,
    0xB0: bytes,
    0xB1: check_text,
    0xB3: _symbol,
}
_COMPOUND = {0xC0, 0xD0, 0xC1, 0xD1}
_ARRAYS = {0xE0, 0xF0}


def skip(buffer: bytes, position: int) -> int:
    """Return where the value at `position` ends, without decoding it. Raises DecodeError if it does not fit."""
    try:
        constructor = buffer[position]
        depth = 0
        while constructor == 0x00:
            depth += 1
            if depth > MAX_DEPTH:
                raise DecodeError("descriptors nested too deeply")
            position = skip(buffer, position + 1) if buffer[position + 1] else _nested_descriptor()
            constructor = buffer[position]
        return end_of(buffer, position + 1, constructor)
    except (IndexError, struct.error):
        raise DecodeError("a value ends after its frame or section") from None


def _nested_descriptor() -> int:
    raise DecodeError("a descriptor is itself a described value")


def end_of(buffer: bytes, position: int, constructor: int) -> int:
    """Where a value ends whose constructor was read, and whose bytes begin at `position`."""
    kind = constructor >> 4
    if kind in _FIXED_WIDTH:
        end = position + _FIXED_WIDTH[kind]
    elif kind in (0xA, 0xC, 0xE):
        end = position + 1 + buffer[position]
    elif kind in (0xB, 0xD, 0xF):
        end = position + 4 + _U32(buffer, position)[0]
    else:
        raise DecodeError(f"no AMQP type has the constructor 0x{constructor:02x}")
    if end > len(buffer):
        raise DecodeError("a value ends after its frame or section")
    return end


def frame_of(buffer: bytes, position: int, constructor: int) -> tuple[int, int, int]:
    """(number of elements, where they start, where they end) of a list, map or array whose constructor was read."""
    if constructor < 0xD0 or constructor == 0xE0:
        count, start, end = buffer[position + 1], position + 2, position + 1 + buffer[position]
    else:
        count, start, end = _U32(buffer, position + 4)[0], position + 8, position + 4 + _U32(buffer, position)[0]
    if constructor < 0xE0 and count > end - start:
        raise DecodeError("a list or map says it has more elements than bytes")
    return count, start, end


def check_descriptor(constructor: int) -> None:
    """Raise DecodeError for the constructor of a descriptor that clients cannot look up."""
    if constructor in _NO_DESCRIPTORS or constructor >= 0xC0:
        raise DecodeError("a descriptor is neither a symbol nor a number")


def decode(buffer: bytes, position: int = 0) -> tuple[Any, int]:
    """Decode the value at `position`; return it and where it ends. Raises DecodeError."""
    try:
        return _decode(buffer, position, 0)
    except (IndexError, struct.error):
        raise DecodeError("a value ends after its frame or section") from None


def _decode(buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH:
        raise DecodeError("values nested too deeply")
    constructor = buffer[position]
    if constructor == 0x00:
        check_descriptor(buffer[position + 1])
        descriptor, position = _decode(buffer, position + 1, depth + 1)
        value, position = _decode(buffer, position, depth + 1)
        return Described(descriptor, value), position
    return _decode_as(buffer, position + 1, constructor, depth)


def _decode_as(buffer: bytes, position: int, constructor: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH:
        raise DecodeError("values nested too deeply")
    end = end_of(buffer, position, constructor)
    reader = _SCALARS.get(constructor)
    if reader is not None:
        kind = constructor >> 4
        start = position if kind < 0xA else position + (1 if kind == 0xA else 4)
        return reader(buffer[start:end]), end
    if constructor in _COMPOUND:
        return _decode_compound(buffer, position, end, constructor, depth), end
    if constructor in _ARRAYS:
        return _decode_array(buffer, position, end, constructor, depth), end
    raise DecodeError(f"no AMQP type has the constructor 0x{constructor:02x}")


def _decode_compound(buffer: bytes, position: int, end: int, constructor: int, depth: int) -> Any:
    count, position, _ = frame_of(buffer, position, constructor)
    items = []
    for _ in range(count):
        item, position = _decode(buffer, position, depth + 1)
        items.append(item)
    if position != end:
        raise DecodeError("the size of a list or map is not the size of its elements")
    return items if constructor in (0xC0, 0xD0) else _as_map(items)


def _as_map(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise DecodeError("a map has a key without a value")
    keys = items[::2]
    slow = 0
    for key in keys:
        if isinstance(key, (UUID, Described, list, dict)):
            slow += 1
            if not isinstance(key, UUID):
                raise DecodeError("the key of a map is a list, a map, an array or a described value")
    if slow > MAX_SLOW_KEYS:
        raise DecodeError(f"a map has more than {MAX_SLOW_KEYS} UUIDs as keys")
    return dict(zip(keys, items[1::2], strict=True))


def _decode_array(buffer: bytes, position: int, end: int, constructor: int, depth: int) -> list[Any]:
    count, position, _ = frame_of(buffer, position, constructor)
    if position == end and not count:
        return []
    descriptors: list[Any] = []
    element = buffer[position]
    while element == 0x00:
        check_descriptor(buffer[position + 1])
        descriptor, position = _decode(buffer, position + 1, depth + len(descriptors) + 1)
        descriptors.append(descriptor)
        if len(descriptors) > MAX_DEPTH:
            raise DecodeError("descriptors nested too deeply")
        element = buffer[position]
    position += 1
    if count > max(end - position, MAX_EMPTY_ELEMENTS):
        raise DecodeError("an array says it has more elements than bytes")
    items = []
    for _ in range(count):
        item, position = _decode_as(buffer, position, element, depth + 1)
        for descriptor in reversed(descriptors):
            item = Described(descriptor, item)
        items.append(item)
    if position != end:
        raise DecodeError("the size of an array is not the size of its elements")
    return items
