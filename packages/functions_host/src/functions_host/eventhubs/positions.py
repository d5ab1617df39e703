"""Where a partition is read from: after what was received, after the checkpoint, or where host.json says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from functions_host.eventhubs.checkpoints import Checkpoint
from functions_host.host_json import InitialOffset

# A sequence number, an offset or ``@latest``, each exclusive; or an enqueued time.
Position = str | int | datetime

START = "-1"
# Numbers; with geo-replication three of them, parted by colons.
_OFFSET = re.compile(r"[0-9]{1,20}(?::[0-9]{1,20}){0,2}")


@dataclass(frozen=True, slots=True)
class PartitionState:
    """What the hub says of a partition: the sequence numbers of its oldest and newest event (-1: never any)."""

    first: int
    last: int
    last_offset: str
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Resumption:
    """`after`: what counts as received already, None for nothing. `warning`: what is to be said of it, or nothing."""

    position: Position
    after: Checkpoint | None
    warning: str = ""


def initial_position(initial: InitialOffset) -> Position:
    if initial.kind == "fromEnd":
        return "@latest"
    return initial.enqueued_time or START


def resume(known: Checkpoint, state: PartitionState) -> Resumption:
    """Go on after `known`, or from the oldest event kept where that cannot be."""
    if known.is_broken:
        return Resumption(START, None)  # it was said when it was read
    if state.last < known.sequence_number:
        return Resumption(
            START,
            None,
            f"ends at {state.last}, before the checkpoint ({known.sequence_number}): it was made anew, so it is read "
            "from its start",
        )
    if not _OFFSET.fullmatch(known.offset) or _is_beyond(known.offset, state.last_offset):
        return Resumption(
            START,
            None,
            f"has no offset {known.offset[:80]!r}, which the checkpoint names (sequence number "
            f"{known.sequence_number}): it is read from its oldest event, number {state.first}; "
            f"{_gone(0, state.first - 1) if state.first > 0 else 'no events are gone'}",
        )
    first = state.last + 1 if state.is_empty else state.first
    gone = first - known.sequence_number - 1
    if gone > 0:
        return Resumption(
            START,
            Checkpoint(known.offset, first - 1),
            f"no longer has what follows the checkpoint (sequence number {known.sequence_number}): "
            f"{_gone(known.sequence_number + 1, first - 1)}; it is read from its oldest event",
        )
    # By its sequence number: an offset that is wrong without looking so would skip what lies before it. Those of
    # geo-replication are opaque, and good across a change of region where sequence numbers are not.
    return Resumption(known.offset if ":" in known.offset else known.sequence_number, known)


def _is_beyond(offset: str, last: str) -> bool:
    return offset.isdigit() and last.isdigit() and int(offset) > int(last)


def _gone(first: int, last: int) -> str:
    if first == last:
        return f"1 event is gone, number {first}"
    return f"{last - first + 1} events are gone, numbers {first} to {last}"
