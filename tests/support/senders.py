"""Devices for the end-to-end tests: messages with known contents, sent through the real azure-eventhub client."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from azure.eventhub import EventData, EventHubProducerClient

HUB = "telemetry"
Message = dict[str, Any]


def message(device: str, number: int, **fields: Any) -> Message:
    """Message ``number`` of a device: one second later and a little lower in battery than the one before."""
    minutes, seconds = divmod(number, 60)
    return {
        "deviceId": device,
        "timestamp": f"2026-01-02T{3 + minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}Z",
        "battery": round(max(0.0, 1 - number / 10_000), 4),
        "flightMode": "inflight",
        "position": {"latitude": 47.47, "longitude": -122.19, "altitude": 100 + number % 50},
        "keyFrame": number == 0,
        **fields,
    }


def flights(drones: int, each: int) -> list[Message]:
    """``each`` messages of every drone, in the order in which a fleet would send them."""
    return [message(f"drone-{drone}", number) for number in range(each) for drone in range(drones)]


def send(connection: str, bodies: Iterable[Message | bytes], *, partition: str | None = None) -> int:
    """Sends each body as one event, keyed by its device unless ``partition`` is named; returns after the last was
    acknowledged, with the number of events."""
    groups: dict[str, list[bytes]] = {}
    for body in bodies:
        key = body["deviceId"] if isinstance(body, dict) else "raw"
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        groups.setdefault(partition or key, []).append(data)
    with EventHubProducerClient.from_connection_string(connection, eventhub_name=HUB) as producer:
        for key, group in groups.items():
            for chunk in chunks(group, 500):
                where = {"partition_id": partition} if partition is not None else {"partition_key": key}
                producer.send_batch([EventData(body) for body in chunk], **where)
    return sum(len(group) for group in groups.values())


def chunks(items: Sequence[bytes], size: int) -> Iterable[Sequence[bytes]]:
    return (items[start : start + size] for start in range(0, len(items), size))
