"""The log of one partition: append, read, find a starting position, drop what is too old or too much."""

from __future__ import annotations

import logging
import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from . import record
from .damage import Damage, tell
from .files import sync_folder
from .index import INTERVAL
from .mark import Mark, MarkFile
from .options import LogOptions, PartitionState, wall_clock_ms
from .positions import Found, from_offset, from_sequence_number, from_time
from .recovery import Tail, open_segments
from .segment import Segment

_LOGGER = logging.getLogger(__name__)
# Sealed segments whose descriptor and index stay open; the rest are reopened when somebody reads them.
_OPEN_SEGMENTS = 4

EventT = TypeVar("EventT")
# (event, sequence number, offset, enqueued time in ms) -> (length of its header section, two parts of its bytes)
Render = Callable[[EventT, int, int, int], tuple[int, bytes, bytes]]


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
        mark: Mark | None = None,
    ) -> None:
        """Open the log in `folder`. `mark` is one of its own if none is given. Raises OSError."""
        self.label = label
        self._folder = folder
        self._render = render
        self._options = options
        self._clock = clock
        self._subscribers: dict[object, Callable[[], None]] = {}
        self._recent: list[Segment] = []
        self._unsynced_folder = True
        self._known_damage: set[int] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._mark_file = MarkFile(folder / "mark", 1) if mark is None else None
        self._mark = mark or self._mark_file.mark(0)  # type: ignore[union-attr]
        reached = self._mark.reached
        self._segments, tail = open_segments(folder, label, reached)
        self._next_sequence_number = max(tail.next_sequence_number, reached.next_sequence_number if reached else 0)
        self._last_ms = max(tail.last_enqueued_ms, reached.last_enqueued_ms if reached else 0)
        if not self._segments or (reached is not None and reached.end > self._active.end):
            self._begin_anew(tail, reached.end if reached is not None else 0)
        self._last_address = tail.last_address if tail.last_address >= 0 else self._active.base - 1
        self._last_ms = self._last_ms or self._active.base_ms
        # The oldest event that retention has left, which may be in the middle of a segment.
        self._start, self._start_sequence_number = self._segments[0].base, self._segments[0].base_sequence_number

    def _begin_anew(self, tail: Tail, base: int) -> None:
        """Begin a segment where the mark says the log had ended, so that nothing gets a number that was used."""
        if tail.next_sequence_number < self._next_sequence_number:
            _LOGGER.error(
                "%s: the end of the log is gone: sequence numbers %d to %d were given out and are lost",
                self.label, tail.next_sequence_number, self._next_sequence_number - 1,
            )  # fmt: skip
        if self._segments:
            self._active.seal()
        now = max(self._last_ms, 0) or self._clock()
        self._segments.append(Segment.create(self._folder, base, self._next_sequence_number, now))

    @property
    def _active(self) -> Segment:
        return self._segments[-1]

    @property
    def start(self) -> int:
        """The address of the oldest event kept."""
        return self._start

    @property
    def end(self) -> int:
        """The address the next event will get."""
        return self._active.end

    def state(self) -> PartitionState:
        return PartitionState(
            self._start_sequence_number,
            self._next_sequence_number - 1,
            self._last_address,
            self._last_ms,
            self._start >= self.end,
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
        self._mark.set(sequence_number, address, now)
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
        # A segment that was cut short, or cut to nothing, ends before the next one begins.
        while address >= segment.end and segment is not self._active:
            number += 1
            segment = self._segments[number]
            address = segment.base
        self._keep_open(segment)
        return address, segment.read(address, size)

    def after_damage(self, address: int) -> int:
        """Where to read on after a record that its CRC disowns: the next one that is whole. Says what is skipped."""
        number = bisect_right(self._segments, address, key=lambda segment: segment.base) - 1
        segment = self._segments[number]
        before = segment.last_before(address)
        expected = before.sequence_number + 1 if before is not None else segment.base_sequence_number
        found = next(segment.scan(address, expected), None)
        go_on = segment.end if found is None else found[0]
        if go_on > address and address not in self._known_damage:
            self._known_damage.add(address)
            following = self._segments[number + 1].base_sequence_number if segment is not self._active else None
            last = found[1].sequence_number if found else following or self._next_sequence_number
            tell(self.label, segment.path, segment.raw, Damage(address, go_on, expected, last - 1))
        return go_on

    def after_sequence_number(self, sequence_number: int, *, inclusive: bool) -> int:
        """The address of the first event after (or at) a sequence number."""
        return self._kept(from_sequence_number(self._segments, sequence_number + (not inclusive)))

    def after_offset(self, offset: int, *, inclusive: bool) -> int:
        """The address of the first event after (or at) an offset, which need not be that of an event."""
        return self._kept(from_offset(self._segments, offset + (not inclusive)))

    def after_time(self, enqueued_ms: int, *, inclusive: bool) -> int:
        """The address of the first event enqueued after (or at) a time."""
        return self._kept(from_time(self._segments, enqueued_ms + (not inclusive)))

    def _kept(self, found: Found) -> int:
        segment, address = found
        self._keep_open(segment)
        return max(address, self._start)

    def subscribe(self, subscriber: object, wake: Callable[[], None]) -> None:
        """Have `wake` called after each append, until `unsubscribe`."""
        self._subscribers[subscriber] = wake

    def unsubscribe(self, subscriber: object) -> None:
        self._subscribers.pop(subscriber, None)

    def drop_expired(self) -> None:
        """Hide events that are older than the retention; drop segments that hold no others or are beyond the size."""
        options = self._options
        if options.retention_ms is not None:
            limit = self._clock() - options.retention_ms
            if self._active.size and self._last_ms < limit:
                self._roll()
            # The base time of a segment is that of the last event of the one before it.
            while len(self._segments) > 1 and self._segments[1].base_ms < limit:
                self._drop_oldest("too old")
            if self._segments[0].base_ms < limit:
                self._hide_before(limit)
        if options.retention_bytes is not None:
            while len(self._segments) > 1 and self.end - self._segments[1].base > options.retention_bytes:
                self._drop_oldest("beyond the size kept")

    def _hide_before(self, limit: int) -> None:
        segment, address = from_time(self._segments, limit)
        if address > self._start:
            found = next(segment.scan(address), None)
            self._start = address
            self._start_sequence_number = found[1].sequence_number if found else self._next_sequence_number

    def _drop_oldest(self, reason: str) -> None:
        segment = self._segments.pop(0)
        oldest = self._segments[0]
        if oldest.base > self._start:
            self._start, self._start_sequence_number = oldest.base, oldest.base_sequence_number
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
        if self._mark_file is not None:
            self._mark_file.close()
