"""Replaying 1,000 batches of 100 messages, against how fast they were ingested at first, beside live traffic."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path

from azure.eventhub import EventData, EventHubProducerClient

from benchmarks.fleet import HUB, Fleet, Probes, percentile
from benchmarks.report import Row
from tools.local_host import LocalHost, wait_until

MESSAGES = 100


def measure(*, quick: bool) -> list[Row]:
    batches = 100 if quick else 1_000
    # One event is one batch: a bundle of 100 messages arrives alone, because the trigger may not wait for more.
    single = {"AzureFunctionsJobHost__extensions__eventHubs__maxEventBatchSize": "1"}
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data", settings=single) as host:
        began = time.monotonic()
        _send(host, batches)
        host.settled(messages=batches * MESSAGES, seconds=600)
        ingestion = batches * MESSAGES / (time.monotonic() - began)
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data", settings=single) as host:
        _send(host, batches)
        before = host.settled(messages=batches * MESSAGES, seconds=600)
        ids = [batch["id"] for batch in host.items("/api/batches?status=completed&limit=1000")]
        probes = Probes(host, per_second=4)
        live = Fleet(host, drones=100, rate=1, seconds=20)
        watcher = threading.Thread(target=probes.run, args=(20,))
        watcher.start()
        began = time.monotonic()
        for start in range(0, len(ids), 100):
            host.request("POST", "/api/batches/replay", {"ids": ids[start : start + 100], "status": "completed"})
        wait_until(lambda: _replayed(host, ids), 600, lambda: "replay did not end")
        rate = batches * MESSAGES / (time.monotonic() - began)
        watcher.join()
        live.result()
        after = host.settled(messages=before["messages"], seconds=60)
    assert after["stored"] >= before["stored"]
    what = f"{batches:,} batches of {MESSAGES} messages"
    return [
        Row("replay", f"{what}: first ingestion", ingestion, "messages/s"),
        Row("replay", f"{what}: replay, live traffic beside it", rate, "messages/s"),
        Row("replay", f"{what}: replay against first ingestion", rate / ingestion, "x", 0.5),
        Row("replay", "live traffic meanwhile: p99 send to readable", percentile(probes.seconds, 0.99), "s", 2, False),
    ]


def _send(host: LocalHost, batches: int) -> None:
    with EventHubProducerClient.from_connection_string(host.connection, eventhub_name=HUB) as producer:
        for batch in range(batches):
            body = [
                {
                    "deviceId": f"replay-{(batch * MESSAGES + n) % 5_000}",
                    "timestamp": 1_700_000_000_000 + batch * 1_000 + n,
                    "battery": 0.5,
                    "position": {"latitude": 47.47, "longitude": -122.19, "altitude": 80},
                }
                for n in range(MESSAGES)
            ]
            producer.send_batch([EventData(json.dumps(body).encode())], partition_key=str(batch))


def _replayed(host: LocalHost, ids: list[str]) -> bool:
    stats = host.get("/api/stats")
    if stats["batches"]["received"] + stats["batches"]["running"]:
        return False
    return all(batch["attempts"] == 2 for batch in host.items("/api/batches?limit=1000") if batch["id"] in set(ids))
