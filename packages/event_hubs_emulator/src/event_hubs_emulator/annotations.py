"""Give an event the hub's message annotations, once, when it is stored."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from .message import Event

_SECTION = b"\x00\x53\x72"
_SEQUENCE_NUMBER = b"\xa3\x15x-opt-sequence-number\x81"
_OFFSET = b"\xa3\x0cx-opt-offset\xa1"
_ENQUEUED_TIME = b"\xa3\x13x-opt-enqueued-time\x83"
# What the three entries take besides the digits of the offset.
_FIXED_SIZE = len(_SEQUENCE_NUMBER) + 8 + len(_OFFSET) + 1 + len(_ENQUEUED_TIME) + 8


def _packer(digits: int) -> Callable[..., bytes]:
    return struct.Struct(f">{len(_SEQUENCE_NUMBER)}sq{len(_OFFSET)}sB{digits}s{len(_ENQUEUED_TIME)}sq").pack


_PACKERS: list[Callable[..., bytes]] = [_packer(digits) for digits in range(21)]
_MAP8: Callable[[Any, Any, Any, Any], bytes] = struct.Struct(">3sBBB").pack
_MAP32: Callable[[Any, Any, Any, Any], bytes] = struct.Struct(">3sBII").pack


def render(event: Event, sequence_number: int, offset: int, enqueued_ms: int) -> tuple[int, bytes, bytes]:
    """The event as consumers get it, in two parts to be joined, after the length of its header section."""
    text = b"%d" % offset
    digits = len(text)
    size = _FIXED_SIZE + digits + len(event.annotations)
    count = 6 + 2 * event.annotation_count
    if size < 255 and count < 256:
        start = _MAP8(_SECTION, 0xC1, size + 1, count)
    else:
        start = _MAP32(_SECTION, 0xD1, size + 4, count)
    entries = _PACKERS[digits](_SEQUENCE_NUMBER, sequence_number, _OFFSET, digits, text, _ENQUEUED_TIME, enqueued_ms)
    lead = event.header + event.delivery_annotations + start + entries + event.annotations
    return len(event.header), lead, event.body
