"""The layout of one record on disk.

    crc32 u32 | length u32 | sequence number u64 | enqueued time i64 (ms) | flags u8 | header length u16 | payload

All big-endian. `length` counts the payload, which is the event exactly as consumers get it: already with its message
annotations, so that receiving copies bytes and encodes nothing. The CRC covers everything after itself. `header length`
says where delivery annotations may be put in. All records of one send but the last carry MORE: a send is in the log
whole or not at all.
"""

from __future__ import annotations

import struct
from typing import NamedTuple
from zlib import crc32

MORE = 0x01

HEADER = struct.Struct(">IIQqBH")
HEADER_SIZE = HEADER.size
_COVERED = struct.Struct(">IQqBH").pack
_CRC = struct.Struct(">I").pack


class Record(NamedTuple):
    """A parsed record header; `start` and `end` frame the payload in the buffer it was parsed from."""

    crc: int
    sequence_number: int
    enqueued_ms: int
    flags: int
    header_length: int
    start: int
    end: int


def header(sequence_number: int, enqueued_ms: int, flags: int, header_length: int, lead: bytes, body: bytes) -> bytes:
    """The header of a record whose payload is `lead` and `body`, which follow it."""
    covered = _COVERED(len(lead) + len(body), sequence_number, enqueued_ms, flags, header_length)
    return _CRC(crc32(body, crc32(lead, crc32(covered)))) + covered


def parse(buffer: bytes, position: int) -> Record | None:
    """Parse the record header at `position`; None if the buffer ends before the record does. Its CRC is not checked."""
    start = position + HEADER_SIZE
    if start > len(buffer):
        return None
    crc, length, sequence_number, enqueued_ms, flags, header_length = HEADER.unpack_from(buffer, position)
    end = start + length
    if end > len(buffer):
        return None
    return Record(crc, sequence_number, enqueued_ms, flags, header_length, start, end)


def is_intact(buffer: bytes, position: int, record: Record) -> bool:
    """Whether the record's CRC is that of its bytes."""
    return crc32(memoryview(buffer)[position + 4 : record.end]) == record.crc
