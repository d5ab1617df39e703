"""A sparse index of one segment: every so many bytes one entry of (sequence number, enqueued time, position)."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from pathlib import Path
from zlib import crc32

# Small enough that a look-up scans little, large enough that 64 MiB of log cost 24 KiB of index.
INTERVAL = 64 * 1024
_MAGIC = b"EHIDX\x00\x01\x00"
_PREFIX = struct.Struct(">8sQII")


class SparseIndex:
    """Positions of some records of a segment, in order."""

    def __init__(self) -> None:
        self._sequence_numbers = array("Q")
        self._times = array("q")
        self._positions = array("Q")

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def next_position(self) -> int:
        """Records before this position are not worth an entry."""
        return self._positions[-1] + INTERVAL if self._positions else 0

    def note(self, sequence_number: int, enqueued_ms: int, position: int) -> None:
        """Remember the record at `position` if it is far enough from the last one remembered."""
        if position < self.next_position:
            return
        self._sequence_numbers.append(sequence_number)
        self._times.append(enqueued_ms)
        self._positions.append(position)

    def before_sequence_number(self, sequence_number: int, start: int) -> int:
        """The last known position whose record is at or before `sequence_number`; `start` if there is none."""
        index = bisect_right(self._sequence_numbers, sequence_number) - 1
        return self._positions[index] if index >= 0 else start

    def before_time(self, enqueued_ms: int, start: int) -> int:
        """A position before which every record is older than `enqueued_ms`."""
        index = bisect_right(self._times, enqueued_ms - 1) - 1
        return self._positions[index] if index >= 0 else start

    def before_position(self, position: int, start: int) -> int:
        """The last known record position at or before `position`; `start` if there is none."""
        index = bisect_right(self._positions, position) - 1
        return self._positions[index] if index >= 0 else start

    def after_position(self, position: int, end: int) -> int:
        """The next known record position after `position`; `end` if there is none."""
        index = bisect_right(self._positions, position)
        return self._positions[index] if index < len(self) else end

    def save(self, path: Path, segment_size: int) -> None:
        """Write the index beside its sealed segment. It can always be rebuilt, so it is not synced."""
        columns = (self._sequence_numbers, self._times, self._positions)
        body = b"".join(struct.pack(f">{len(self)}{column.typecode}", *column) for column in columns)
        path.write_bytes(_PREFIX.pack(_MAGIC, segment_size, len(self), crc32(body)) + body)

    @classmethod
    def load(cls, path: Path, segment_size: int) -> SparseIndex | None:
        """Read a saved index; None if there is none, or it is not whole, or it is of another size of the segment."""
        try:
            raw = path.read_bytes()
            magic, size, count, crc = _PREFIX.unpack_from(raw)
        except (OSError, struct.error):
            return None
        body = raw[_PREFIX.size :]
        if magic != _MAGIC or size != segment_size or len(body) != count * 24 or crc32(body) != crc:
            return None
        index = cls()
        width = count * 8
        index._sequence_numbers.extend(struct.unpack(f">{count}Q", body[:width]))
        index._times.extend(struct.unpack(f">{count}q", body[width : 2 * width]))
        index._positions.extend(struct.unpack(f">{count}Q", body[2 * width :]))
        return index
