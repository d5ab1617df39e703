"""One segment file: a header and records. Its name is the address (offset) of its first record.

The base time lies between the last event of the segment before and the first of this one, so that times can be searched
by segment, and a segment's age is known by its successor.

magic 8s | base sequence number u64 | base address u64 | base time i64 (ms) | crc32 u32
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from . import record
from .damage import next_intact
from .files import open_log, read_at, write_all
from .index import SparseIndex

_MAGIC = b"EHLOG\x00\x01\x00"
_HEADER = struct.Struct(">8sQQqI")
HEADER_SIZE = _HEADER.size
_CHUNK = 1024 * 1024


class CorruptSegmentError(Exception):
    """The file is no segment, or its header is not whole."""


class Segment:
    """An open segment. Addresses are those of the whole partition: `base` .. `base + size`."""

    def __init__(self, path: Path, base: int, base_sequence_number: int, base_ms: int, size: int) -> None:
        self.path = path
        self.base = base
        self.base_sequence_number = base_sequence_number
        self.base_ms = base_ms
        self.size = size
        self._descriptor: int | None = None
        self._index: SparseIndex | None = None

    @property
    def end(self) -> int:
        return self.base + self.size

    @property
    def index_path(self) -> Path:
        return self.path.with_suffix(".index")

    @classmethod
    def create(cls, folder: Path, base: int, base_sequence_number: int, base_ms: int) -> Segment:
        """Create an empty segment file with its header."""
        path = folder / f"{base:020d}.log"
        segment = cls(path, base, base_sequence_number, base_ms, 0)
        segment._descriptor = open_log(path, create=True)
        try:
            segment.write_header()
        except OSError:
            segment.delete()
            raise
        segment._index = SparseIndex()
        return segment

    def write_header(self) -> None:
        head = _HEADER.pack(_MAGIC, self.base_sequence_number, self.base, self.base_ms, 0)[:-4]
        write_all(self.descriptor(), head + struct.pack(">I", crc32(head)), 0)

    @classmethod
    def open(cls, path: Path) -> Segment:
        """Open a segment file by its header. Raises CorruptSegmentError."""
        with open(path, "rb") as file:
            raw = file.read(HEADER_SIZE)
        if len(raw) < HEADER_SIZE:
            raise CorruptSegmentError(f"{path} ends within its header")
        magic, base_sequence_number, base, base_ms, crc = _HEADER.unpack(raw)
        if magic != _MAGIC or crc32(raw[:-4]) != crc:
            raise CorruptSegmentError(f"{path} has no segment header")
        return cls(path, base, base_sequence_number, base_ms, path.stat().st_size - HEADER_SIZE)

    def write(self, data: bytes) -> None:
        """Append `data`, whole or not at all. Raises OSError."""
        descriptor = self.descriptor()
        try:
            write_all(descriptor, data, HEADER_SIZE + self.size)
        except OSError:
            os.ftruncate(descriptor, HEADER_SIZE + self.size)
            raise
        self.size += len(data)

    def truncate(self, size: int) -> None:
        """Cut the records after `size` bytes of them."""
        os.ftruncate(self.descriptor(), HEADER_SIZE + size)
        self.size = size

    def read(self, address: int, size: int) -> bytes:
        """Read up to `size` bytes at `address`, at least one whole record if one starts there."""
        available = self.end - address
        data = read_at(self.descriptor(), min(size, available), HEADER_SIZE + address - self.base)
        if len(data) < available and record.parse(data, 0) is None:
            needed = record.HEADER_SIZE + int.from_bytes(data[4:8], "big")
            data = read_at(self.descriptor(), min(needed, available), HEADER_SIZE + address - self.base)
        return data

    def raw(self, address: int, size: int) -> bytes:
        """The bytes at `address`, whatever they are."""
        return read_at(self.descriptor(), min(size, self.end - address), HEADER_SIZE + address - self.base)

    def scan(self, address: int, lowest: int = 0) -> Iterator[tuple[int, record.Record]]:
        """Yield (address, record) of the intact records from the one at `address` on, past any damage.

        The first of them has at least the sequence number `lowest`.
        """
        lowest = max(lowest, self.base_sequence_number)
        while address < self.end:
            buffer = self.read(address, _CHUNK)
            position = 0
            while (found := record.parse(buffer, position)) is not None and record.is_intact(buffer, position, found):
                yield address + position, found
                lowest = found.sequence_number + 1
                position = found.end
            address += position
            if position == 0:
                address = next_intact(self.raw, address, self.end, lowest)

    def last_before(self, address: int) -> record.Record | None:
        """The last intact record that starts before `address`; None if there is none in this segment."""
        last = None
        for at, found in self.scan(self.index().before_position(address - 1, self.base)):
            if at >= address:
                break
            last = found
        return last

    def index(self) -> SparseIndex:
        """The sparse index; for a sealed segment read from beside it, or rebuilt by one pass if it is not there."""
        if self._index is None:
            self._index = SparseIndex.load(self.index_path, self.size) or self._rebuild_index()
        return self._index

    def _rebuild_index(self) -> SparseIndex:
        index = SparseIndex()
        for address, found in self.scan(self.base):
            index.note(found.sequence_number, found.enqueued_ms, address)
        self._save(index)
        return index

    def _save(self, index: SparseIndex) -> None:
        # Without it the segment is only slower to search.
        with suppress(OSError):
            index.save(self.index_path, self.size)

    def use_index(self, index: SparseIndex) -> None:
        self._index = index

    def seal(self) -> None:
        """Nothing is appended any more: keep the index on disk instead of in memory."""
        self._save(self.index())
        self.release()

    def release(self) -> None:
        """Give back the descriptor and the index; both come back when they are needed."""
        self._index = None
        self.close()

    def descriptor(self) -> int:
        if self._descriptor is None:
            self._descriptor = open_log(self.path)
        return self._descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def delete(self) -> None:
        """Remove the segment, its index and what was set aside of it from disk."""
        self.close()
        self.path.unlink(missing_ok=True)
        for aside in self.path.parent.glob(f"{self.path.stem}.*.damaged"):
            aside.unlink(missing_ok=True)
        self.index_path.unlink(missing_ok=True)
