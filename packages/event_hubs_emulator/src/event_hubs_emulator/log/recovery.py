"""Open the segments of a partition after whatever stopped the last process or befell its files.

Nothing that was acknowledged is removed: damage is left where it is, copied, and gone around. Only what is left of a
send that was never acknowledged is cut.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from . import record
from .damage import Damage, set_aside, tell
from .index import SparseIndex
from .mark import Reached
from .segment import HEADER_SIZE, CorruptSegmentError, Segment

_LOGGER = logging.getLogger(__name__)


@dataclass
class Tail:
    """What the log goes on from: the next sequence number and the last record, if the log ever held one."""

    next_sequence_number: int = 0
    last_address: int = -1
    last_enqueued_ms: int = 0


def open_segments(folder: Path, label: str, reached: Reached | None) -> tuple[list[Segment], Tail]:
    """Return the partition's segments, oldest first, the last one repaired, and its tail.

    `label` names the partition in the log; `reached` is what the mark of the partition says. Raises OSError.
    """
    segments: list[Segment] = []
    paths = sorted(path for path in folder.glob("*.log") if path.stem.isascii() and path.stem.isdigit())
    for path in paths:
        previous = segments[-1] if segments else None
        try:
            segment = Segment.open(path)
        except CorruptSegmentError as error:
            mended = _mend_header(path, previous, label, str(error))
            if mended is None:
                continue
            segment = mended
        if previous is not None:
            _say_what_is_missing(previous, segment, label)
        segments.append(segment)
    if not segments:
        return [], Tail()
    return segments, _repair_tail(segments, label, reached)


def _mend_header(path: Path, previous: Segment | None, label: str, error: str) -> Segment | None:
    """The segment whose header is damaged, with a new one; None if there is nothing behind its header."""
    size = path.stat().st_size
    if size <= HEADER_SIZE:
        # Made and never used before an unclean stop, or cut off since: what is missing then is told by its neighbours.
        _LOGGER.warning("%s: %s holds no record and is put aside (%s)", label, path.name, error)
        path.replace(path.with_suffix(".empty.damaged")) if size else path.unlink()
        return None
    base = int(path.stem)
    after, last_ms = 0, 0
    if previous is not None:
        last = previous.last_before(previous.end)
        after = last.sequence_number + 1 if last is not None else previous.base_sequence_number
        last_ms = last.enqueued_ms if last is not None else previous.base_ms
    segment = Segment(path, base, after, last_ms, size - HEADER_SIZE)
    first = next(segment.scan(base), None)
    if previous is None and first is not None:
        # It has to be at most that of any record before the first that can be read.
        address, found = first
        before = (address - base) // record.HEADER_SIZE
        segment.base_sequence_number, segment.base_ms = max(found.sequence_number - before, 0), found.enqueued_ms
    with open(path, "rb") as file:
        head = file.read(HEADER_SIZE)
    copied = set_aside(path, "header", lambda at, length: head[at : at + length], 0, HEADER_SIZE)
    segment.write_header()
    _LOGGER.error("%s: %s; its %d bytes of header were made anew, %s", label, error, HEADER_SIZE, copied)
    return segment


def _say_what_is_missing(previous: Segment, segment: Segment, label: str) -> None:
    missing = segment.base - previous.end
    if missing > 0:
        last = previous.last_before(previous.end)
        lost_from = last.sequence_number + 1 if last is not None else previous.base_sequence_number
        _LOGGER.error(
            "%s: %d bytes are missing behind %s (sequence numbers %d to %d)",
            label, missing, previous.path.name, lost_from, segment.base_sequence_number - 1,
        )  # fmt: skip


def _repair_tail(segments: list[Segment], label: str, reached: Reached | None) -> Tail:
    active = segments[-1]
    tail = Tail(active.base_sequence_number)
    index = SparseIndex()
    acknowledged = min(reached.end, active.end) if reached is not None else active.base
    whole = position = active.base
    pending: list[tuple[int, record.Record]] = []
    for address, found in active.scan(active.base):
        if address > position:
            expected = pending[-1][1].sequence_number + 1 if pending else tail.next_sequence_number
            tell(label, active.path, active.raw, Damage(position, address, expected, found.sequence_number - 1))
        position = address + record.HEADER_SIZE + found.end - found.start
        pending.append((address, found))
        if found.flags & record.MORE and position > acknowledged:
            continue
        for known, item in pending:
            index.note(item.sequence_number, item.enqueued_ms, known)
        pending.clear()
        whole = position
        tail = Tail(found.sequence_number + 1, address, found.enqueued_ms)
    active.use_index(index)
    keep = max(whole, acknowledged)
    if whole < keep:
        last = reached.next_sequence_number - 1 if reached is not None else tail.next_sequence_number
        tell(label, active.path, active.raw, Damage(whole, keep, tail.next_sequence_number, last))
    if keep < active.end:
        _LOGGER.warning(
            "%s: cut %d bytes from the end of %s at offset %d, of a send never acknowledged (%d whole events of it)",
            label, active.end - keep, active.path.name, keep, len(pending),
        )  # fmt: skip
        active.truncate(keep - active.base)
    if tail.last_address < 0 and len(segments) > 1:
        _take_last_of(segments[-2], tail)
    return tail


def _take_last_of(segment: Segment, tail: Tail) -> None:
    start = segment.index().before_position(segment.end, segment.base)
    for address, found in segment.scan(start):
        tail.last_address, tail.last_enqueued_ms = address, found.enqueued_ms
    segment.release()
