"""Stored messages of a flight, second by second."""

from __future__ import annotations

from typing import Any

from telemetry import times
from telemetry.model import Message

START = "2026-01-01T10:00:00.000000Z"


def said(second: float, device: str = "d", **fields: Any) -> Message:
    """What the drone said so many seconds after ``START``, with everything that does not matter filled in."""
    time = times.add_seconds(START, second)
    message: Any = {
        "id": f"d{int(second * 1000):020d}",
        "deviceId": device,
        "time": time,
        "timeSource": "device",
        "keyFrame": True,
        "flags": [],
        "alerts": [],
        "enqueuedAt": time,
        "partition": "0",
        "sequenceNumber": int(second * 1000),
        "index": 0,
        "batchId": "b",
        **fields,
    }
    result: Message = message
    return result
