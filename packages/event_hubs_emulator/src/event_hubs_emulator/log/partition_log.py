"""The log of one partition: append, read, find a starting position, drop what is too old or too much."""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from . import record
from .files import sync_folder
from .index import INTERVAL
from .recovery import open_segments
from .segment import Segment

_LOGGER = logging.getLogger(__name__)
# Sealed segments whose descriptor and index stay open; the rest are reopened when somebody reads them.
_OPEN_SEGMENTS = 4

EventT = TypeVar("EventT")
# (event, sequence number, offset, enqueued time in ms) -> (length of its header section, two parts of its bytes)
Render = Callable[[EventT, int, int, int], tuple[int, bytes, bytes]]


@dataclass(frozen=True)
class LogOptions:
    """Limits of one partition's log; a limit of None does not apply."""

    segment_bytes: int = 64 * 1024 * 1024
    retention_ms: int | None = 7 * 24 * 3600 * 1000
    retention_bytes: int | None = 1024 * 1024 * 1024
    # Whether somebody waits for `sync`, so that a segment must be on the disk before the next one begins.
    fsync: bool = False


@dataclass(frozen=True)
class PartitionState:
    """What a partition says of itself: of what it holds (`begin…`) and of the last event it ever got (`last…`)."""

    begin_sequence_number: int
    last_sequence_number: int
    last_offset: int
    last_enqueued_ms: int
    is_empty: bool


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class PartitionLog(Generic[EventT]):
    """One partition. An event's offset is its address: the number of log bytes before it since the hub began.

    Not thread-safe: all calls come from the event loop.
    """

    def __init__(
        self,
        folder: Path,
        label: str,
        render: Render[EventT],
        options: LogOptions,
        clock: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self.label = label
        self._folder = folder
        self._render = render
        self._options = options
        self._clock = clock
        self._subscribers: dict[object, Callable[[], None]] = {}
        self._recent: list[Segment] = []
        self._unsynced_folder = True
        folder.mkdir(parents=True, exist_ok=True)
        self._segments, tail = open_segments(folder, label)
        if not self._segments:
            self._segments.append(Segment.create(folder, 0, 0, clock()))
        self._next_sequence_number = tail.next_sequence_number
        self._last_address = tail.last_address if tail.last_address >= 0 else self._active.base - 1
        self._last_ms = tail.last_enqueued_ms or self._active.base_ms

    @property
    def _active(self) -> Segment:
        return self._segments[-1]

    @property
    def start(self) -> int:
        """The address of the oldest event kept."""
        return self._segments[0].base

    @property
    def end(self) -> int:
        """The address the next event will get."""
        return self._active.end

    def state(self) -> PartitionState:
        return PartitionState(
            self._segments[0].base_sequence_number,
            self._next_sequence_number - 1,
            self._last_address,
            self._last_ms,
            self.start == self.end,
        )

    def append(self, events: Sequence[EventT]) -> int:
        """Write the events of one send, all or none; return the sequence number of the first.

        When this returns, they are with the operating system.

        Raises OSError when the disk refuses; the log then is as it was before.
        """
        if self._active.size >= self._options.segment_bytes:
            self._roll()
        active = self._active
        now = max(self._clock(), self._last_ms, active.base_ms)
        address, sequence_number = active.end, self._next_sequence_number
        index = active.index()
        notes: list[tuple[int, int]] = []
        next_note = index.next_position
        parts: list[bytes] = []
        render, header, header_size = self._render, record.header, record.HEADER_SIZE
        left, last_address = len(events), address
        for event in events:
            left -= 1
            header_length, lead, body = render(event, sequence_number, address, now)
            flags = record.MORE if left else 0
            parts += (header(sequence_number, now, flags, header_length, lead, body), lead, body)
            if address >= next_note:
                notes.append((sequence_number, address))
                next_note = address + INTERVAL
            last_address = address
            address += header_size + len(lead) + len(body)
            sequence_number += 1
        first = self._next_sequence_number
        if not parts:
            return first
        active.write(b"".join(parts))
        for noted, position in notes:
            index.note(noted, now, position)
        self._next_sequence_number, self._last_address, self._last_ms = sequence_number, last_address, now
        for wake in self._subscribers.values():
            wake()
        return first

    def read(self, address: int, size: int) -> tuple[int, bytes]:
        """Read whole records from `address` on: (where the bytes really start, bytes), no bytes at the end of the log.

        `address` must be that of a record, of the end, or lie before the oldest event kept, which is then read.
        The last record may be cut off by `size`; the first never is.
        """
        address = max(address, self.start)
        if address >= self.end:
            return address, b""
        number = bisect_right(self._segments, address, key=lambda segment: segment.base) - 1
        segment = self._segments[number]
        if address >= segment.end:
            segment = self._segments[number + 1]
            address = segment.base
        self._keep_open(segment)
        return address, segment.read(address, size)

    def after_damage(self, address: int) -> int:
        """Where to read on after a record that its CRC disowns: the next place indexed. Logs what is skipped."""
        number = bisect_right(self._segments, address, key=lambda segment: segment.base) - 1
        segment = self._segments[number]
        go_on = segment.index().after_position(address, segment.end)
        _LOGGER.error("%s: damage in %s: skipping offsets %d to %d", self.label, segment.path.name, address, go_on - 1)
        return go_on

    def after_sequence_number(self, sequence_number: int, *, inclusive: bool) -> int:
        """The address of the first event after (or at) a sequence number."""
        wanted = sequence_number if inclusive else sequence_number + 1
        number = bisect_right(self._segments, wanted, key=lambda segment: segment.base_sequence_number) - 1
        segment = self._segments[max(number, 0)]
        start = segment.index().before_sequence_number(max(wanted, 0), segment.base)
        return self._first(segment, start, lambda _, found: found.sequence_number >= wanted)

    def after_offset(self, offset: int, *, inclusive: bool) -> int:
        """The address of the first event after (or at) an offset, which need not be that of an event."""
        wanted = offset if inclusive else offset + 1
        number = bisect_right(self._segments, wanted, key=lambda segment: segment.base) - 1
        segment = self._segments[max(number, 0)]
        start = segment.index().before_position(max(wanted, 0), segment.base)
        return self._first(segment, start, lambda address, _: address >= wanted)

    def after_time(self, enqueued_ms: int, *, inclusive: bool) -> int:
        """The address of the first event enqueued after (or at) a time."""
        wanted = enqueued_ms if inclusive else enqueued_ms + 1
        number = bisect_left(self._segments, wanted, key=lambda segment: segment.base_ms) - 1
        segment = self._segments[max(number, 0)]
        start = segment.index().before_time(wanted, segment.base)
        return self._first(segment, start, lambda _, found: found.enqueued_ms >= wanted)

    def _first(self, segment: Segment, start: int, matches: Callable[[int, record.Record], bool]) -> int:
        self._keep_open(segment)
        for address, found, _, _ in segment.scan(start):
            if matches(address, found):
                return address
        return min(segment.end, self.end)

    def subscribe(self, subscriber: object, wake: Callable[[], None]) -> None:
        """Have `wake` called after each append, until `unsubscribe`."""
        self._subscribers[subscriber] = wake

    def unsubscribe(self, subscriber: object) -> None:
        self._subscribers.pop(subscriber, None)

    def drop_expired(self) -> None:
        """Drop segments whose events are all older than the retention, and the oldest ones beyond the size kept."""
        options = self._options
        if options.retention_ms is not None:
            limit = self._clock() - options.retention_ms
            if self._active.size and self._last_ms < limit:
                self._roll()
            # The base time of a segment is that of the last event of the one before it.
            while len(self._segments) > 1 and self._segments[1].base_ms < limit:
                self._drop_oldest("too old")
        if options.retention_bytes is not None:
            while len(self._segments) > 1 and self.end - self._segments[1].base > options.retention_bytes:
                self._drop_oldest("beyond the size kept")

    def _drop_oldest(self, reason: str) -> None:
        segment = self._segments.pop(0)
        if segment in self._recent:
            self._recent.remove(segment)
        try:
            segment.delete()
        except OSError as error:
            _LOGGER.warning("%s: cannot delete %s: %s", self.label, segment.path.name, error)
            return
        _LOGGER.info("%s: dropped %s (%d bytes), %s", self.label, segment.path.name, segment.size, reason)

    def _roll(self) -> None:
        sealed = self._active
        if self._options.fsync:
            os.fsync(sealed.descriptor())
        self._segments.append(Segment.create(self._folder, sealed.end, self._next_sequence_number, self._last_ms))
        self._unsynced_folder = True
        sealed.seal()
        self.drop_expired()

    def _keep_open(self, segment: Segment) -> None:
        if segment is self._active or (self._recent and self._recent[-1] is segment):
            return
        if segment in self._recent:
            self._recent.remove(segment)
        self._recent.append(segment)
        if len(self._recent) > _OPEN_SEGMENTS:
            self._recent.pop(0).release()

    def sync(self) -> Callable[[], None]:
        """Return what, in a thread, forces all that was appended onto the disk. Both raise OSError."""
        # A descriptor of its own: the segment may be sealed and closed before the thread gets to it.
        descriptor = os.dup(self._active.descriptor())
        folder = self._folder if self._unsynced_folder else None
        self._unsynced_folder = False

        def force() -> None:
            try:
                os.fsync(descriptor)
                if folder is not None:
                    sync_folder(folder)
            finally:
                os.close(descriptor)

        return force

    def close(self) -> None:
        for segment in self._segments:
            segment.close()
