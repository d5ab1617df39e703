"""Encode AMQP values. Each function returns the complete encoding, constructor included, in its smallest form."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from .types import Decimal, Described, Symbol, Timestamp

_U16 = struct.Struct(">BH").pack
_U32 = struct.Struct(">BI").pack
_I32 = struct.Struct(">Bi").pack
_U64 = struct.Struct(">BQ").pack
_I64 = struct.Struct(">Bq").pack
_F64 = struct.Struct(">Bd").pack
_SIZE_COUNT = struct.Struct(">BII").pack

NULL = b"\x40"
TRUE = b"\x41"
FALSE = b"\x42"
_DECIMAL_CONSTRUCTOR = {4: b"\x74", 8: b"\x84", 16: b"\x94"}


def boolean(value: bool) -> bytes:
    return TRUE if value else FALSE


def ubyte(value: int) -> bytes:
    return bytes((0x50, value))


def ushort(value: int) -> bytes:
    return _U16(0x60, value)


def uint(value: int) -> bytes:
    if value == 0:
        return b"\x43"
    return bytes((0x52, value)) if value < 256 else _U32(0x70, value)


def int32(value: int) -> bytes:
    return bytes((0x54, value & 0xFF)) if -128 <= value < 128 else _I32(0x71, value)


def ulong(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    return bytes((0x53, value)) if value < 256 else _U64(0x80, value)


def long(value: int) -> bytes:
    return bytes((0x55, value & 0xFF)) if -128 <= value < 128 else _I64(0x81, value)


def double(value: float) -> bytes:
    return _F64(0x82, value)


def timestamp(milliseconds: int) -> bytes:
    return _I64(0x83, milliseconds)


def uuid(value: UUID) -> bytes:
    return b"\x98" + value.bytes


def binary(value: bytes) -> bytes:
    size = len(value)
    return (bytes((0xA0, size)) if size < 256 else _U32(0xB0, size)) + value


def string(value: str) -> bytes:
    raw = value.encode()
    size = len(raw)
    return (bytes((0xA1, size)) if size < 256 else _U32(0xB1, size)) + raw


def symbol(value: str) -> bytes:
    raw = value.encode("ascii")
    size = len(raw)
    return (bytes((0xA3, size)) if size < 256 else _U32(0xB3, size)) + raw


def list_of(items: Sequence[bytes]) -> bytes:
    """A list of values that are encoded already."""
    if not items:
        return b"\x45"
    return _compound(0xC0, 0xD0, items)


def map_of(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A map of keys and values that are encoded already."""
    return _compound(0xC1, 0xD1, [part for pair in pairs for part in pair])


def symbol_array(values: Sequence[str]) -> bytes:
    """An array of symbols (sym8), as mechanisms and capabilities are."""
    body = b"".join(bytes((len(value),)) + value.encode("ascii") for value in values)
    return b"\xf0" + struct.pack(">II", len(body) + 5, len(values)) + b"\xa3" + body


def string_array(values: Sequence[str]) -> bytes:
    """An array of strings (str32)."""
    raws = [value.encode() for value in values]
    body = b"".join(struct.pack(">I", len(raw)) + raw for raw in raws)
    return b"\xf0" + struct.pack(">II", len(body) + 5, len(values)) + b"\xb1" + body


def described(code: int, value: bytes) -> bytes:
    """A described value whose descriptor is a number below 256 and whose value is encoded already."""
    return bytes((0x00, 0x53, code)) + value


def _compound(small: int, large: int, items: Sequence[bytes]) -> bytes:
    body = b"".join(items)
    size, count = len(body), len(items)
    if size < 255 and count < 256:
        return bytes((small, size + 1, count)) + body
    return _SIZE_COUNT(large, size + 4, count) + body


def encode(value: Any) -> bytes:
    """Encode a Python value as its natural AMQP type; a plain int is a long.

    Raises TypeError for a type AMQP has no counterpart for, and OverflowError for an int beyond 64 bits.
    """
    if value is None:
        return NULL
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, Timestamp):
        return timestamp(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return double(value)
    if isinstance(value, Symbol):
        return symbol(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return binary(bytes(value))
    if isinstance(value, UUID):
        return uuid(value)
    if isinstance(value, Described):
        return b"\x00" + encode(value.descriptor) + encode(value.value)
    if isinstance(value, Decimal):
        return _DECIMAL_CONSTRUCTOR[len(value.raw)] + value.raw
    if isinstance(value, dict):
        return map_of([(encode(key), encode(item)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return list_of([encode(item) for item in value])
    raise TypeError(f"AMQP has no type for {type(value).__name__}")


def _integer(value: int) -> bytes:
    if -(2**63) <= value < 2**63:
        return long(value)
    if 0 <= value < 2**64:
        return ulong(value)
    raise OverflowError("an AMQP integer has at most 64 bits")
