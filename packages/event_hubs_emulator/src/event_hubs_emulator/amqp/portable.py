"""Check values without building them, and rewrite what azure-eventhub's decoder cannot take.

Its decoder has no char, decimal32 or decimal64 and overflows on a decimal128 (it shifts the exponent by two bits too
many, 5.15.1); it reads the descriptor of an array once for each element, and leaves the constructor of an empty array
behind. An event with any of these ends its consumer's partition, so they become the nearest thing it can read: text,
and lists.
"""

from __future__ import annotations

import struct

from .decimals import decimal_text
from .decoding import (
    MAX_DEPTH,
    MAX_EMPTY_ELEMENTS,
    MAX_SLOW_KEYS,
    check_descriptor,
    check_text,
    decode,
    end_of,
    frame_of,
)
from .encoding import list_of, map_of, string
from .errors import DecodeError

_CHAR, _DECIMAL32, _DECIMAL64, _DECIMAL128, _UUID = 0x73, 0x74, 0x84, 0x94, 0x98
_STRANGE = {_CHAR: "char", _DECIMAL32: "decimal32", _DECIMAL64: "decimal64", _DECIMAL128: "decimal128"}
_STRANGE_WIDTH = {_CHAR: 4, _DECIMAL32: 4, _DECIMAL64: 8, _DECIMAL128: 16}
_BYTES, _TEXTS = {0xA0, 0xA3, 0xB0, 0xB3}, {0xA1, 0xB1}
_LISTS, _MAPS, _ARRAYS = {0xC0, 0xD0}, {0xC1, 0xD1}, {0xE0, 0xF0}
# Bytes after the constructor of the values that need no second look; -1 for all others.
_PLAIN = [-1] * 256
for _width, _codes in {
    0: range(0x40, 0x46),
    1: range(0x50, 0x57),
    2: range(0x60, 0x62),
    4: range(0x70, 0x73),
    8: range(0x80, 0x84),
    16: (_UUID,),
}.items():
    for _code in _codes:
        _PLAIN[_code] = _width


def check(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Check the value in `raw`, which is all of it. Return it, rewritten if need be, and the types that were rewritten.

    Raises DecodeError. The work is bounded by the bytes, whatever the counts and depths in them say.
    """
    walk = _Walk(raw)
    try:
        end = walk.value(0, 0)
    except (IndexError, struct.error):
        raise DecodeError("a value ends after its frame or section") from None
    if end != len(raw):
        raise DecodeError("a value does not end where its section does")
    if not walk.strange:
        return raw, ()
    changes: set[str] = set()
    rewritten, _ = _rewrite(raw, 0, changes)
    return rewritten, tuple(sorted(changes))


class _Walk:
    """One pass over a value; `strange` says whether something in it has to be rewritten."""

    def __init__(self, buffer: bytes) -> None:
        self._buffer = buffer
        self.strange = False

    def value(self, position: int, depth: int) -> int:
        """Check the value at `position`; return its end, which may lie beyond the buffer."""
        constructor = self._buffer[position]
        width = _PLAIN[constructor]
        if width >= 0:
            return position + 1 + width
        if depth > MAX_DEPTH:
            raise DecodeError("values nested too deeply")
        if constructor == 0x00:
            return self.value(self._descriptor(position + 1), depth + 1)
        return self._of(constructor, position + 1, depth)

    def _descriptor(self, position: int) -> int:
        check_descriptor(self._buffer[position])
        return self.value(position, 0)

    def _of(self, constructor: int, position: int, depth: int) -> int:
        """Check a value that is not plain and whose constructor was read; in an array it comes once for all."""
        if constructor in _BYTES:
            return end_of(self._buffer, position, constructor)
        if constructor in _TEXTS:
            end = end_of(self._buffer, position, constructor)
            check_text(self._buffer[position + (1 if constructor == 0xA1 else 4) : end])
            return end
        if constructor in _MAPS:
            return self._map(constructor, position, depth)
        if constructor in _LISTS:
            return self._list(constructor, position, depth)
        if constructor in _ARRAYS:
            return self._array(constructor, position, depth)
        if constructor in _STRANGE:
            self.strange = True
            return position + _STRANGE_WIDTH[constructor]
        raise DecodeError(f"no AMQP type has the constructor 0x{constructor:02x}")

    def _list(self, constructor: int, position: int, depth: int) -> int:
        count, position, end = frame_of(self._buffer, position, constructor)
        buffer, plain = self._buffer, _PLAIN
        for _ in range(count):
            width = plain[buffer[position]]
            position = position + 1 + width if width >= 0 else self.value(position, depth + 1)
        return _at_end(position, end)

    def _map(self, constructor: int, position: int, depth: int) -> int:
        count, position, end = frame_of(self._buffer, position, constructor)
        if count % 2:
            raise DecodeError("a map has a key without a value")
        slow = 0
        for _ in range(count // 2):
            key = self._buffer[position]
            if key == 0x00 or key == 0x45 or key >= 0xC0:
                raise DecodeError("the key of a map is a list, a map, an array or a described value")
            slow += key in (_UUID, _DECIMAL128)
            position = self.value(self.value(position, depth + 1), depth + 1)
        if slow > MAX_SLOW_KEYS:
            raise DecodeError(f"a map has more than {MAX_SLOW_KEYS} UUIDs or decimals as keys")
        return _at_end(position, end)

    def _array(self, constructor: int, position: int, depth: int) -> int:
        count, position, end = frame_of(self._buffer, position, constructor)
        if position == end and not count:
            return end
        depth += 1
        while self._buffer[position] == 0x00:
            self.strange = True
            depth += 1
            if depth > MAX_DEPTH:
                raise DecodeError("descriptors nested too deeply")
            position = self._descriptor(position + 1)
        element, position = self._buffer[position], position + 1
        self.strange = self.strange or not count
        width = _PLAIN[element]
        if count > max(end - position, MAX_EMPTY_ELEMENTS):
            raise DecodeError("an array says it has more elements than bytes")
        if width >= 0:
            return _at_end(position + count * width, end)
        if depth > MAX_DEPTH:
            raise DecodeError("values nested too deeply")
        for _ in range(count):
            position = self._of(element, position, depth)
        return _at_end(position, end)


def _at_end(position: int, end: int) -> int:
    if position != end:
        raise DecodeError("the size of a list, map or array is not the size of its elements")
    return end


def _rewrite(buffer: bytes, position: int, changes: set[str]) -> tuple[bytes, int]:
    """The value at `position`, which `_Walk` has checked, rewritten, and where it ends."""
    constructor = buffer[position]
    if constructor == 0x00:
        value_at = end_of(buffer, position + 2, buffer[position + 1])
        value, end = _rewrite(buffer, value_at, changes)
        return buffer[position:value_at] + value, end
    return _rewrite_as(constructor, buffer, position + 1, changes)


def _rewrite_as(constructor: int, buffer: bytes, position: int, changes: set[str]) -> tuple[bytes, int]:
    end = end_of(buffer, position, constructor)
    if constructor in _STRANGE:
        changes.add(_STRANGE[constructor])
        raw = buffer[position:end]
        return string(decode(b"\x73" + raw)[0] if constructor == _CHAR else decimal_text(raw)), end
    if constructor in _LISTS or constructor in _MAPS:
        count, position, _ = frame_of(buffer, position, constructor)
        items = []
        for _ in range(count):
            item, position = _rewrite(buffer, position, changes)
            items.append(item)
        if constructor in _LISTS:
            return list_of(items), end
        return map_of(list(zip(items[::2], items[1::2], strict=True))), end
    if constructor in _ARRAYS:
        return _rewrite_array(constructor, buffer, position, end, changes), end
    return bytes((constructor,)) + buffer[position:end], end


def _rewrite_array(constructor: int, buffer: bytes, position: int, end: int, changes: set[str]) -> bytes:
    """An array as a list of the same elements."""
    count, position, _ = frame_of(buffer, position, constructor)
    if not count:
        return list_of([])
    descriptors = b""
    while buffer[position] == 0x00:
        changes.add("array of described values")
        value_at = end_of(buffer, position + 2, buffer[position + 1])
        descriptors += buffer[position:value_at]
        position = value_at
    element, position = buffer[position], position + 1
    items = []
    for _ in range(count):
        item, position = _rewrite_as(element, buffer, position, changes)
        items.append(descriptors + item)
    return list_of(items)
