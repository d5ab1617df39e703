"""How far a log was acknowledged, outside of the log: the sequence numbers of a lost tail must not be used again.

One file has the marks of all partitions of a hub, two slots for each that are written in turn, so that one is always
whole. They are not forced to disk, also where the log is: after a power cut the larger of the two counts.

counter u64 | next sequence number u64 | end address u64 | last enqueued time i64 (ms) | crc32 u32
"""

from __future__ import annotations

import logging
import os
import struct
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from event_hubs_emulator.throttle import Throttle

from .files import open_log, read_at, write_all

_LOGGER = logging.getLogger(__name__)
_SLOT = struct.Struct(">QQQqI")
_BODY = struct.Struct(">QQQq").pack
_CRC = struct.Struct(">I").pack
_SLOT_SIZE = 64
_MARK_SIZE = 2 * _SLOT_SIZE


class Reached(NamedTuple):
    """What was acknowledged: all before `end`, whose next sequence number this is."""

    next_sequence_number: int
    end: int
    last_enqueued_ms: int


class MarkFile:
    """The marks of `count` partitions. Raises OSError where it cannot be opened or made."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._descriptor = open_log(path, create=not path.exists())
        size = os.fstat(self._descriptor).st_size
        wanted = count * _MARK_SIZE
        if size < wanted:
            # Written, not only sized: a mark can then be set though the disk is full.
            write_all(self._descriptor, bytes(wanted - size), size)
        self._throttle = Throttle(60.0)

    def mark(self, number: int) -> Mark:
        return Mark(self, number * _MARK_SIZE)

    def read(self, position: int) -> bytes:
        return read_at(self._descriptor, _MARK_SIZE, position)

    def write(self, data: bytes, position: int) -> None:
        try:
            write_all(self._descriptor, data, position)
        except OSError as error:
            # What it belongs to is in the log by now. The mark is for the day when that is damaged.
            if (missed := self._throttle.admit()) is not None:
                _LOGGER.warning("%s cannot be written: %s%s", self._path, error, missed)

    def close(self) -> None:
        os.close(self._descriptor)


class Mark:
    """The mark of one partition."""

    def __init__(self, file: MarkFile, position: int) -> None:
        self._file = file
        self._position = position
        self._counter = 0
        self.reached: Reached | None = None
        raw = file.read(position)
        for slot in range(2):
            found = raw[slot * _SLOT_SIZE :][: _SLOT.size]
            if len(found) < _SLOT.size:
                continue
            counter, next_sequence_number, end, last_ms, crc = _SLOT.unpack(found)
            if counter > self._counter and crc32(found[:-4]) == crc:
                self._counter = counter
                self.reached = Reached(next_sequence_number, end, last_ms)

    def set(self, next_sequence_number: int, end: int, last_enqueued_ms: int) -> None:
        """Note that all before `end` is going to be acknowledged."""
        self._counter += 1
        body = _BODY(self._counter, next_sequence_number, end, last_enqueued_ms)
        self._file.write(body + _CRC(crc32(body)), self._position + (self._counter % 2) * _SLOT_SIZE)
