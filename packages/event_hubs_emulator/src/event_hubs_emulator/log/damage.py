"""Go on behind damage: find the next record by its checksum, and keep what cannot be read beside the log."""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import record

_LOGGER = logging.getLogger(__name__)
_CHUNK = 4 * 1024 * 1024
_NOT_ZERO = re.compile(rb"[^\0]")
_SEQUENCE_NUMBER = struct.Struct(">Q").pack
_SEQUENCE_NUMBER_AT = 8
# Of larger damage only this much is copied: the segment itself still has it all.
_MOST_SET_ASIDE = 16 * 1024 * 1024

# (position, size) -> bytes, fewer at the end
Reader = Callable[[int, int], bytes]


def next_intact(read: Reader, position: int, end: int, lowest: int) -> int:
    """The position of the first intact record behind the damaged one at `position`; `end` if there is none.

    The damaged record has at least the sequence number `lowest`.
    """
    search = _Search(read, end, lowest + 1, lowest + 2 + (end - position) // record.HEADER_SIZE)
    found = search.exactly(position + 1, lowest + 1)
    return found if found is not None else search.any(position + 1)


class _Search:
    def __init__(self, read: Reader, end: int, lowest: int, highest: int) -> None:
        self._read = read
        self._end = end
        self._lowest = lowest
        self._highest = highest

    def exactly(self, position: int, sequence_number: int) -> int | None:
        """The record with this sequence number, if it is near: the usual case, and quickly found."""
        wanted = _SEQUENCE_NUMBER(sequence_number)
        buffer = self._read(position, min(_CHUNK, self._end - position))
        at = buffer.find(wanted, _SEQUENCE_NUMBER_AT)
        while at >= 0:
            if self._is_record(position + at - _SEQUENCE_NUMBER_AT, buffer, at - _SEQUENCE_NUMBER_AT):
                return position + at - _SEQUENCE_NUMBER_AT
            at = buffer.find(wanted, at + 1)
        return None

    def any(self, position: int) -> int:
        """The first record with a sequence number that fits; the end if there is none."""
        while position + record.HEADER_SIZE <= self._end:
            buffer = self._read(position, min(_CHUNK, self._end - position))
            at, last = 0, len(buffer) - record.HEADER_SIZE
            if last < 0:
                break
            while at <= last:
                # A header is not all zeros, and zeros are what the lost pages of a file read as.
                byte = _NOT_ZERO.search(buffer, at)
                if byte is None:
                    at = last + 1
                    break
                at = max(at, byte.start() - record.HEADER_SIZE + 1)
                if at <= last and self._is_record(position + at, buffer, at):
                    return position + at
                at += 1
            position += at
        return self._end

    def _is_record(self, position: int, buffer: bytes, at: int) -> bool:
        if at + record.HEADER_SIZE > len(buffer):
            return False
        _, length, sequence_number, _, _, _ = record.HEADER.unpack_from(buffer, at)
        size = record.HEADER_SIZE + length
        if not self._lowest <= sequence_number <= self._highest or position + size > self._end:
            return False
        whole = self._read(position, size)
        found = record.parse(whole, 0)
        return found is not None and record.is_intact(whole, 0, found)


class Damage(NamedTuple):
    """Bytes of a segment that are no records, by the addresses where they start and end, and the events in doubt."""

    start: int
    end: int
    first_sequence_number: int
    last_sequence_number: int


def tell(label: str, path: Path, read: Reader, damage: Damage) -> None:
    """Say what cannot be read, and copy it."""
    start, end, first, last = damage
    events = f"sequence numbers {first} to {last} are in doubt" if first <= last else "no event is known to be lost"
    copied = set_aside(path, str(start), read, start, end)
    _LOGGER.error(
        "%s: damage in %s: skipping %d bytes, offsets %d to %d; %s; %s",
        label, path.name, end - start, start, end - 1, events, copied,
    )  # fmt: skip


def set_aside(path: Path, name: str, read: Reader, start: int, end: int) -> str:
    """Copy what cannot be read to `<segment>.<name>.damaged`; return what to say of it. Never raises."""
    aside = path.with_name(f"{path.stem}.{name}.damaged")
    try:
        if not aside.exists():
            aside.write_bytes(read(start, min(end - start, _MOST_SET_ASIDE)))
    except OSError as error:
        return f"it could not be copied to {aside.name}: {error}"
    return f"a copy is in {aside.name}"
