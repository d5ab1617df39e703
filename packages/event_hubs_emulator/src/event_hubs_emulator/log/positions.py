"""Find the first event after an offset, a sequence number or a time, in the segments of a partition."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from . import record
from .segment import Segment

# What is found: the segment, and the address in it, which is its end if none of its events matches.
Found = tuple[Segment, int]


def from_sequence_number(segments: Sequence[Segment], wanted: int) -> Found:
    """The first event with at least the sequence number `wanted`."""
    number = bisect_right(segments, wanted, key=lambda segment: segment.base_sequence_number) - 1
    segment = segments[max(number, 0)]
    start = segment.index().before_sequence_number(max(wanted, 0), segment.base)
    return _first(segment, start, lambda _, found: found.sequence_number >= wanted)


def from_offset(segments: Sequence[Segment], wanted: int) -> Found:
    """The first event at or after the offset `wanted`, which need not be that of an event."""
    number = bisect_right(segments, wanted, key=lambda segment: segment.base) - 1
    segment = segments[max(number, 0)]
    start = segment.index().before_position(max(wanted, 0), segment.base)
    return _first(segment, start, lambda address, _: address >= wanted)


def from_time(segments: Sequence[Segment], wanted: int) -> Found:
    """The first event enqueued at or after the time `wanted`."""
    number = bisect_left(segments, wanted, key=lambda segment: segment.base_ms) - 1
    segment = segments[max(number, 0)]
    start = segment.index().before_time(wanted, segment.base)
    return _first(segment, start, lambda _, found: found.enqueued_ms >= wanted)


def _first(segment: Segment, start: int, matches: Callable[[int, record.Record], bool]) -> Found:
    for address, found in segment.scan(start):
        if matches(address, found):
            return segment, address
    return segment, segment.end
