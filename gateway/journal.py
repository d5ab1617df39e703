"""What was heard lately, in a file: a message is made of it only at its interval's end, and till then it is nowhere.

The file outlives the end of the process by kill -9. It is not forced onto the disk: it is rewritten all the time, and a
small computer's card would wear out for what a power cut costs at most, one interval.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from pathlib import Path
from typing import NamedTuple

FILE_NAME = "heard-lately.bin"
_HEAD = struct.Struct("<dHI")


class Heard(NamedTuple):
    """Bytes as they arrived: when (seconds since the epoch), from where, and whether as a datagram."""

    at: float
    source: str
    data: bytes
    datagram: bool = True


class Journal:
    """Holds what is not older than ``seconds``."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._seconds = seconds
        self._path = folder / FILE_NAME
        self._lately: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._pending: list[bytes] = []
        self.left = self._read()
        """What an earlier run had heard lately. A record that its end cut off ends the list."""
        self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115
        for heard in self.left:
            self.add(heard)
        self._pending.clear()
        self._rewrite()

    def add(self, heard: Heard) -> None:
        source = heard.source.encode()
        length = len(heard.data) << 1 | heard.datagram
        record = _HEAD.pack(heard.at, len(source), length) + source + heard.data
        self._lately.append((heard.at, record))
        self._pending.append(record)
        self._size += len(record)

    def write(self) -> None:
        """Hand over what was added to the operating system, and let go of what is old."""
        if not self._lately:
            return
        newest = self._lately[-1][0]
        while self._lately and not 0 <= newest - self._lately[0][0] <= self._seconds:
            self._size -= len(self._lately.popleft()[1])
        if self._written > 2 * self._size + 65_536:
            self._rewrite()
        elif self._pending:
            data = b"".join(self._pending)
            self._file.write(data)
            self._written += len(data)
        self._pending.clear()

    def clear(self) -> None:
        """All that was heard is in messages now."""
        self._lately.clear()
        self._pending.clear()
        self._size = 0
        self._rewrite()

    def close(self) -> None:
        self._file.close()

    def _rewrite(self) -> None:
        new = self._path.with_suffix(".new")
        data = b"".join(record for _, record in self._lately)
        file = open(new, "wb", buffering=0)  # noqa: SIM115
        file.write(data)
        self._file.close()
        os.replace(new, self._path)
        self._file, self._written = file, len(data)

    def _read(self) -> list[Heard]:
        content = self._path.read_bytes() if self._path.exists() else b""
        heard: list[Heard] = []
        at = 0
        while at + _HEAD.size <= len(content):
            heard_at, source_length, length = _HEAD.unpack_from(content, at)
            start = at + _HEAD.size + source_length
            at = start + (length >> 1)
            if at > len(content):
                break
            source = content[start - source_length : start].decode()
            heard.append(Heard(heard_at, source, content[start:at], bool(length & 1)))
        return heard
