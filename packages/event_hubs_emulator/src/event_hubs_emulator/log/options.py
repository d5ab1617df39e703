"""What a partition's log is asked to keep, and what it says of itself."""

from __future__ import annotations

import time
from dataclasses import dataclass


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
