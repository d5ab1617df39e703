"""Partition key to partition: the hash Event Hubs and its SDKs use (Bob Jenkins' lookup3, public domain)."""

from __future__ import annotations

from functools import lru_cache

_MASK = 0xFFFFFFFF


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a, c = ((a - c) & _MASK) ^ _rotate(c, 4), (c + b) & _MASK
    b, a = ((b - a) & _MASK) ^ _rotate(a, 6), (a + c) & _MASK
    c, b = ((c - b) & _MASK) ^ _rotate(b, 8), (b + a) & _MASK
    a, c = ((a - c) & _MASK) ^ _rotate(c, 16), (c + b) & _MASK
    b, a = ((b - a) & _MASK) ^ _rotate(a, 19), (a + c) & _MASK
    c, b = ((c - b) & _MASK) ^ _rotate(b, 4), (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> tuple[int, int]:
    c = ((c ^ b) - _rotate(b, 14)) & _MASK
    a = ((a ^ c) - _rotate(c, 11)) & _MASK
    b = ((b ^ a) - _rotate(a, 25)) & _MASK
    c = ((c ^ b) - _rotate(b, 16)) & _MASK
    a = ((a ^ c) - _rotate(c, 4)) & _MASK
    b = ((b ^ a) - _rotate(a, 14)) & _MASK
    c = ((c ^ b) - _rotate(b, 24)) & _MASK
    return c, b


def _word(codes: list[int]) -> int:
    return sum(code << (8 * place) for place, code in enumerate(codes))


def _hash(codes: list[int]) -> tuple[int, int]:
    a = b = c = (0xDEADBEEF + len(codes)) & _MASK
    position, left = 0, len(codes)
    while left > 12:
        a = (a + _word(codes[position : position + 4])) & _MASK
        b = (b + _word(codes[position + 4 : position + 8])) & _MASK
        c = (c + _word(codes[position + 8 : position + 12])) & _MASK
        a, b, c = _mix(a, b, c)
        position += 12
        left -= 12
    if left == 0:
        return c, b
    rest = codes[position:]
    a = (a + _word(rest[0:4])) & _MASK
    b = (b + _word(rest[4:8])) & _MASK
    c = (c + _word(rest[8:12])) & _MASK
    return _final(a, b, c)


# Devices send with their own id again and again.
@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """The partition, 0 … `partitions` - 1, that events with this key belong to.

    A character counts as its code point, also beyond Latin-1, as in azure-eventhub's resolver.
    """
    c, b = _hash([ord(character) for character in key]) if key else (0, 0)
    code = (c ^ b) & 0xFFFF
    return (code - 0x10000 if code >= 0x8000 else code) % partitions
