"""Bytes of durable history of one batch, as the management API hands it out, whatever the batch holds."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from azure.eventhub import EventData, EventHubProducerClient

from benchmarks.fleet import HUB
from benchmarks.report import Row
from tools.local_host import LocalHost

SIZES = ((10, 1), (10, 10), (100, 10), (100, 100), (1_000, 1), (1_000, 10), (1_000, 500))


def measure(*, quick: bool) -> list[Row]:
    sizes = SIZES[::3] if quick else SIZES
    rows = []
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
        total = 0
        for messages, drones in sizes:
            body = [
                {"deviceId": f"d{total}-{n % drones}", "timestamp": 1_700_000_000_000 + n, "battery": 0.5}
                for n in range(messages)
            ]
            with EventHubProducerClient.from_connection_string(host.connection, eventhub_name=HUB) as producer:
                producer.send_batch([EventData(json.dumps(body).encode())], partition_id="0")
            total += messages
            host.settled(messages=total)
            batch = host.get("/api/batches?limit=1")["items"][0]
            address = f"/runtime/webhooks/durabletask/instances/{batch['instanceId']}?showHistory=true"
            size = len(host.request("GET", f"{address}&showHistoryOutput=true").body)
            rows.append(Row("history", f"{messages:,} messages of {drones} drones", size, "bytes"))
    spread = max(row.value for row in rows) - min(row.value for row in rows)
    return [*rows, Row("history", "largest difference (digits of the counts)", spread, "bytes", 200, at_least=False)]
