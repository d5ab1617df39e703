"""Replaying 1,000 batches of 100 messages, with the operator's command and beside live traffic, against how fast
they were ingested at first."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

from azure.eventhub import EventData, EventHubProducerClient

from benchmarks.fleet import HUB, Fleet, Probes, percentile
from benchmarks.report import Row
from tools.local_host import ROOT, LocalHost

MESSAGES = 100
LIVE_SECONDS = 20


def measure(*, quick: bool) -> list[Row]:
    batches = 100 if quick else 1_000
    # One event is one batch: a bundle of 100 messages arrives alone, because the trigger may not wait for more.
    event_hubs = "AzureFunctionsJobHost__extensions__eventHubs__"
    single = {f"{event_hubs}maxEventBatchSize": "1", f"{event_hubs}minEventBatchSize": "1"}
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data", settings=single) as host:
        began = time.monotonic()
        _send(host, batches)
        before = host.settled(messages=batches * MESSAGES, seconds=600)
        ingestion = batches * MESSAGES / (time.monotonic() - began)

        # The live traffic comes in batches as usual.
        host.stop()
        host.settings.clear()
        host.start()
        before_live = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        probes = Probes(host, per_second=4)
        live = Fleet(host, drones=100, rate=1, seconds=LIVE_SECONDS)
        watcher = threading.Thread(target=probes.run, args=(LIVE_SECONDS,))
        watcher.start()
        began = time.monotonic()
        operator = [sys.executable, "-m", "telemetry_admin", "batches", "replay", "--all", "--status", "completed"]
        command = [*operator, "--to", before_live, "--limit", str(batches), "--url", host.url, "--json"]
        run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        assert len(json.loads(run.stdout)["completed"]) == batches, run.stdout[:500]
        replay = batches * MESSAGES / (time.monotonic() - began)
        watcher.join()
        sent = int(live.result()["sent"]) + probes.sent
        after = host.settled(messages=before["messages"] + sent, seconds=60)
    assert after["stored"] == before["stored"] + sent
    assert after["duplicates"] == before["duplicates"]
    what = f"{batches:,} batches of {MESSAGES} messages"
    return [
        Row("replay", f"{what}: first ingestion", ingestion, "messages/s"),
        Row("replay", f"{what}: replay, live traffic beside it", replay, "messages/s"),
        Row("replay", f"{what}: replay against first ingestion", replay / ingestion, "x", 0.5),
        Row("replay", "live traffic meanwhile: p99 send to readable", percentile(probes.seconds, 0.99), "s", 1, False),
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
