"""One batch of telemetry as the hub delivers it, for the measurements that need no host."""

from __future__ import annotations

import json
import random
from typing import Any

from pipeline.records import Batch
from telemetry.envelope import pack
from telemetry.identity import batch_id, instance_id
from telemetry.model import Delivery

HUB = "telemetry"
RECEIVED = "2026-01-02T03:04:06.000000Z"


def deliveries(messages: int, drones: int, *, first: int = 0) -> list[Delivery]:
    """``messages`` events of one message each, of ``drones`` drones in turn, with every field a drone sends."""
    source = random.Random(first)
    return [
        Delivery(
            hub=HUB,
            partition="0",
            sequence_number=first + number,
            offset=str((first + number) * 300),
            enqueued_at="2026-01-02T03:04:05.678000Z",
            body=json.dumps(_message(f"drone-{number % drones}", first + number, source)).encode(),
            content_type="application/json",
        )
        for number in range(messages)
    ]


def _message(device: str, number: int, source: random.Random) -> dict[str, Any]:
    return {
        "deviceId": device,
        "timestamp": 1_767_323_045_000 + number,
        "battery": round(source.random(), 2),
        "flightMode": "inflight",
        "position": {
            "latitude": round(47.476075 + source.uniform(-0.02, 0.02), 6),
            "longitude": round(-122.192026 + source.uniform(-0.02, 0.02), 6),
            "altitude": round(source.uniform(0, 110), 1),
        },
        "health": {"gyrometer": True, "accelerometer": True, "magnetometer": True},
        "groundSpeed": round(source.uniform(0, 15), 1),
        "heading": round(source.uniform(0, 359), 1),
        "keyFrame": True,
    }


def received(events: list[Delivery]) -> tuple[Batch, bytes]:
    """The ledger's record and the raw document of these events."""
    first, last = events[0], events[-1]
    identity = batch_id(HUB, "0", first.sequence_number, last.sequence_number, first.enqueued_at)
    batch = Batch(
        id=identity,
        hub=HUB,
        partition="0",
        first_sequence_number=first.sequence_number,
        last_sequence_number=last.sequence_number,
        events=len(events),
        instance_id=instance_id(identity, 1),
        received_at=RECEIVED,
        updated_at=RECEIVED,
    )
    return batch, pack(events)
