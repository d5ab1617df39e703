"""Last enqueued event properties: the state of a partition in the delivery annotations of its events."""

from __future__ import annotations

import time

from .amqp.decoding import frame_of, skip
from .amqp.encoding import described, long, map_of, string, symbol, timestamp
from .log.options import PartitionState
from .sections import DELIVERY_ANNOTATIONS

Metrics = list[tuple[bytes, bytes]]
_SECTION = bytes((0x00, 0x53, DELIVERY_ANNOTATIONS))


def runtime_metrics(state: PartitionState) -> Metrics:
    """The annotations, encoded; they are the same for all events of one write."""
    return [
        (symbol("last_enqueued_sequence_number"), long(state.last_sequence_number)),
        (symbol("last_enqueued_offset"), string(str(state.last_offset))),
        (symbol("last_enqueued_time_utc"), timestamp(state.last_enqueued_ms)),
        (symbol("runtime_info_retrieval_time_utc"), timestamp(time.time_ns() // 1_000_000)),
    ]


def with_metrics(payload: bytes, header_length: int, metrics: Metrics) -> bytes:
    """An event with `metrics` among its delivery annotations, which follow its header section."""
    pairs, end = list(metrics), header_length
    start = header_length + len(_SECTION)
    if payload[header_length:start] == _SECTION:
        count, position, end = frame_of(payload, start + 1, payload[start])
        for _ in range(count // 2):
            value_at = skip(payload, position)
            after = skip(payload, value_at)
            pairs.append((payload[position:value_at], payload[value_at:after]))
            position = after
    return b"".join((payload[:header_length], described(DELIVERY_ANNOTATIONS, map_of(pairs)), payload[end:]))
