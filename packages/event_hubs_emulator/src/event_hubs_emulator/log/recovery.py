"""Open the segments of a partition after whatever stopped the last process, and cut a torn tail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from . import record
from .index import SparseIndex
from .segment import CorruptSegmentError, Segment

_LOGGER = logging.getLogger(__name__)


@dataclass
class Tail:
    """What the log goes on from: the next sequence number and the last record, if the log ever held one."""

    next_sequence_number: int = 0
    last_address: int = -1
    last_enqueued_ms: int = 0


def open_segments(folder: Path, label: str) -> tuple[list[Segment], Tail]:
    """Return the partition's segments, oldest first, the last one repaired, and its tail.

    `label` names the partition in the log. Raises CorruptSegmentError when a complete segment has lost its header.
    """
    segments: list[Segment] = []
    paths = sorted(folder.glob("*.log"))
    for path in paths:
        try:
            segments.append(Segment.open(path))
        except CorruptSegmentError as error:
            if path != paths[-1]:
                raise
            _LOGGER.warning(
                "%s: removed %s, created but never used before an unclean stop (%s)", label, path.name, error
            )
            path.unlink()
    if not segments:
        return [], Tail()
    return segments, _repair_tail(segments, label)


def _repair_tail(segments: list[Segment], label: str) -> Tail:
    active = segments[-1]
    tail = Tail(active.base_sequence_number)
    index = SparseIndex()
    whole = active.base
    events_after_whole = 0
    pending: list[tuple[int, record.Record]] = []
    for address, found, buffer, position in active.scan(active.base):
        if found.sequence_number != tail.next_sequence_number + len(pending):
            break
        if not record.is_intact(buffer, position, found):
            break
        pending.append((address, found))
        events_after_whole = len(pending)
        if found.flags & record.MORE:
            continue
        for known, item in pending:
            index.note(item.sequence_number, item.enqueued_ms, known)
        whole = address + record.HEADER_SIZE + found.end - found.start
        tail = Tail(found.sequence_number + 1, address, found.enqueued_ms)
        pending.clear()
        events_after_whole = 0
    active.use_index(index)
    if whole < active.end:
        _LOGGER.warning(
            "%s: cut %d bytes from the end of %s at offset %d, of a send never acknowledged (%d whole events of it)",
            label, active.end - whole, active.path.name, whole, events_after_whole,
        )  # fmt: skip
        active.truncate(whole - active.base)
    if tail.last_address < 0 and len(segments) > 1:
        _take_last_of(segments[-2], tail)
    return tail


def _take_last_of(segment: Segment, tail: Tail) -> None:
    start = segment.index().before_position(segment.end, segment.base)
    for address, found, _, _ in segment.scan(start):
        tail.last_address, tail.last_enqueued_ms = address, found.enqueued_ms
    segment.release()
