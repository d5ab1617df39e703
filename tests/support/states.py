"""Messages, states, batches and dead letters as the pipeline makes them."""

from __future__ import annotations

import json
from typing import Any

from pipeline.records import Batch, Counts
from storage.sqlite import SqliteStore
from telemetry.enrichment import enrich
from telemetry.envelope import pack
from telemetry.merge import from_message, merge_messages
from telemetry.model import Delivery, DroneState
from telemetry.registry import Registry
from telemetry.rules import Rules
from telemetry.validation import Validated, validate_batch
from telemetry.zones import Zones

ENQUEUED = "2026-01-02T03:04:05.500000Z"

ZONES: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": "airport", "name": "Airport", "kind": "no_fly", "ceiling": 300},
            "geometry": {"type": "Polygon", "coordinates": [[[10, 10], [11, 10], [11, 11], [10, 11], [10, 10]]]},
        }
    ],
}


def telemetry(device: str = "drone-1", **values: Any) -> dict[str, Any]:
    return {"deviceId": device, "timestamp": "2026-01-02T03:04:05.000000Z", **values}


def delivery(body: Any, sequence_number: int = 1, enqueued_at: str = ENQUEUED) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery("telemetry", "0", sequence_number, str(sequence_number * 100), enqueued_at, raw, "application/json")


def validated(*bodies: Any, batch_id: str = "batch", enqueued_at: str = ENQUEUED) -> Validated:
    deliveries = [delivery(body, number, enqueued_at) for number, body in enumerate(bodies, start=1)]
    result = validate_batch(deliveries, Rules(), batch_id, ENQUEUED)
    enrich(result.messages, None, Zones.parse(ZONES), Rules())
    return result


def state(device: str = "drone-1", *, enqueued_at: str = ENQUEUED, **values: Any) -> DroneState:
    """What the entity keeps of one message."""
    found = validated(telemetry(device, **values), enqueued_at=enqueued_at)
    assert found.dead_letters == []
    return merge_messages(found.messages)[device]


def patch(second: int, **fields: Any) -> DroneState:
    """What a message of that second says of ``drone-1``."""
    message: Any = {
        "id": f"d{second}",
        "deviceId": "drone-1",
        "time": f"2026-01-01T00:00:{second:02d}.000000Z",
        "enqueuedAt": f"2026-01-01T00:01:{second:02d}.000000Z",
        "partition": "0",
        "sequenceNumber": second,
        "index": 0,
        **fields,
    }
    return from_message(message)


def registry(*devices: str) -> Registry:
    return Registry.parse({"drones": [{"id": device, "name": device.upper()} for device in devices]})


async def keep_batch(
    store: SqliteStore, batch_id: str, *, received_at: str = ENQUEUED, partition: str = "0", ends: str | None = None
) -> Batch:
    """A batch in the ledger; ``ends``: completed or failed, None leaves it received."""
    batch = Batch(
        id=batch_id,
        hub="telemetry",
        partition=partition,
        first_sequence_number=1,
        last_sequence_number=2,
        events=2,
        instance_id=f"{batch_id}~1",
        received_at=received_at,
        updated_at=received_at,
    )
    raw = pack([delivery(telemetry(), 1), delivery(telemetry(), 2)])
    kept = await store.ledger.receive(batch, raw)
    if ends is None:
        return kept
    await store.ledger.begin(batch_id, batch.instance_id, "validate")
    if ends == "failed":
        return await store.ledger.fail(batch_id, batch.instance_id, "store", "disk full", ENQUEUED)
    return await store.ledger.complete(batch_id, batch.instance_id, Counts(3, 1, 1, 1), ENQUEUED)


MINUTES = [f"2026-01-02T03:0{minute}:00.000000Z" for minute in range(5)]


async def keep_minutes(store: SqliteStore, device: str = "drone-1") -> None:
    """Five stored messages, a minute and a tenth of a degree apart."""
    bodies = [
        {
            "deviceId": device,
            "timestamp": time,
            "position": {"latitude": 50.0, "longitude": round(10 + number / 10, 1), "altitude": 5.0},
        }
        for number, time in enumerate(MINUTES)
    ]
    await store.messages.put(validated(*bodies).messages, "batch")
