"""A ground station's recording (``.tlog``): before each packet eight bytes, microseconds since the epoch, big-endian.

Source: MAVProxy and Mission Planner write it, pymavlink's ``mavutil.mavlogfile`` reads it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_STAMP = struct.Struct(">Q")
_MAGIC = (0xFE, 0xFD)
_V1_REST, _V2_REST, _SIGNATURE = 8, 12, 13
# 2000 to 2100: what else stands before a packet is no time, but damage.
_EARLIEST, _LATEST = 946_684_800_000_000, 4_102_444_800_000_000
_BLOCK = 1 << 20


class Record(NamedTuple):
    """One packet as it was heard: seconds since the epoch, its bytes."""

    at: float
    data: bytes


def records(path: Path) -> Iterator[Record]:
    """The file's records in order. After damage it goes on at the next place that looks like a record, and at the end
    of a file that was cut off it stops. Raises OSError."""
    with open(path, "rb") as file:
        buffer, at, ended = b"", 0, False
        while True:
            if len(buffer) - at < 400 and not ended:
                block = file.read(_BLOCK)
                ended = not block
                buffer, at = buffer[at:] + block, 0
            if len(buffer) - at < _STAMP.size + _V1_REST:
                return
            (stamp,) = _STAMP.unpack_from(buffer, at)
            start = at + _STAMP.size
            if buffer[start] not in _MAGIC or not _EARLIEST <= stamp <= _LATEST:
                at += 1
                continue
            end = start + _length(buffer, start)
            if end > len(buffer):
                at += 1
                continue
            yield Record(stamp / 1e6, buffer[start:end])
            at = end


def _length(buffer: bytes, start: int) -> int:
    payload = buffer[start + 1]
    if buffer[start] == _MAGIC[0]:
        return _V1_REST + payload
    return _V2_REST + payload + (_SIGNATURE if buffer[start + 2] & 1 else 0)
