"""The shapes that pass between the rules: a delivery comes in; messages and rejections go out.

Messages, dead letters and drone states are plain JSON objects (dicts) from the moment they are decoded until they are
stored, so that a batch of thousands is never converted back and forth; the keys are those of the HTTP API.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Message = dict[str, Any]
"""id, deviceId, time, timeSource, keyFrame, flags, enqueuedAt, partition, sequenceNumber, index, batchId always;
battery, flightMode (name), flightModeNumber, position, health, groundSpeed, heading, extra where the device said them;
derived and alerts once enriched. Times are canonical text."""

DeadLetter = dict[str, Any]
"""id, status, errors, body (base64), deviceId, hub, partition, offset, sequenceNumber, enqueuedAt, index, batchId,
attempts, createdAt, resolvedAt, reason, contentType, contentEncoding."""

DroneState = dict[str, Any]
"""The merged registers of one drone: what the entity keeps and what one signal carries (see ``telemetry.merge``)."""


class Delivery(NamedTuple):
    """One event as the hub delivered it. ``enqueued_at`` is canonical time text; ``body`` is untouched.

    A tuple, because a frozen dataclass takes three times as long to make.
    """

    hub: str
    partition: str
    sequence_number: int
    offset: str
    enqueued_at: str
    body: bytes
    content_type: str | None = None
    content_encoding: str | None = None
