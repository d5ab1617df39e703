"""What a batch costs, counted: transactions, rows, replays, calls, log records, timers, JSON, bytes over the pipe.

One batch after another, each alone, so that the counts are the same on a slow machine and on a busy one. What timers
and monitors do beside it in that time is counted too, their functions by name; alerts, of which the made-up telemetry
has far too many, are not raised. What all this comes to in processor time is ``tax``'s to measure.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from azure.eventhub import EventData, EventHubProducerClient

from benchmarks.batches import deliveries
from benchmarks.fleet import HUB
from benchmarks.processes import consuming
from benchmarks.report import Row
from tools.local_host import LocalHost, wait_until

SIZES = (64, 1_000)
SECONDS = 0.6  # in which a batch is through, the trigger's own wait included
_SETTINGS = {
    # All events of a send come to one batch.
    "AzureFunctionsJobHost__extensions__eventHubs__minEventBatchSize": "2000",
    "ALERT_RAISE_SECONDS": "1000000",
}


def measure(*, quick: bool) -> list[Row]:
    return [row for size in SIZES for row in _rows(size, batches=8 if quick else 24)]


def _rows(size: int, batches: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        counts.mkdir()
        beside = [str(Path(__file__).parent / "counting"), *filter(None, [os.environ.get("PYTHONPATH")])]
        settings = {"BENCHMARK_COUNTS": str(counts), "PYTHONPATH": os.pathsep.join(beside), **_SETTINGS}
        with LocalHost(Path(folder) / "data", settings=settings) as host:
            assert host.process is not None
            pids = consuming(host.process.pid)
            _send(host, size, range(4))
            _settled(host, 4 * size)
            before = _counts(counts, pids)
            # Each drone is known by now: what follows are updates, as most batches are.
            bodies = _send(host, size, range(4, 4 + batches))
            stats = _settled(host, (4 + batches) * size)
            found = _counts(counts, pids)
    if stats["batches"]["completed"] != 4 + batches:
        raise RuntimeError(f"{4 + batches} batches were sent one by one: {stats['batches']}")
    found.subtract(before)
    read, written = found.pop("JSON read, bytes", 0), found.pop("JSON written, bytes", 0)
    what = f"a batch of {size:,}"
    told = [name for name in sorted(found) if found[name] >= batches / 4]
    rows = [Row("batch", f"{what}: {name}", found[name] / batches, "") for name in told]
    return [*rows, Row("batch", f"{what}: JSON read and written, against its bodies", (read + written) / bodies, "x")]


def _send(host: LocalHost, size: int, numbers: range) -> int:
    """One batch after another, partition by partition; the bytes of their bodies."""
    sent = 0
    with EventHubProducerClient.from_connection_string(host.connection, eventhub_name=HUB) as producer:
        for number in numbers:
            events = [EventData(one.body) for one in deliveries(size, size, first=number * size)]
            for event in events:
                event.content_type = "application/json"
            began = time.monotonic()
            producer.send_batch(events, partition_id=str(number % 4))
            sent += sum(len(event.body_as_str()) for event in events)
            time.sleep(max(0.0, began + SECONDS - time.monotonic()))
    return sent


def _settled(host: LocalHost, messages: int) -> dict[str, Any]:
    """Asks seldom: the answers are counted too."""
    until = time.monotonic() + 60
    while True:
        stats: dict[str, Any] = host.get("/api/stats")
        if stats["messages"] == messages and not stats["batches"]["received"] + stats["batches"]["running"]:
            break
        if time.monotonic() > until:
            raise RuntimeError(f"{messages} messages were sent: {stats}")
        time.sleep(SECONDS)
    if messages != stats["stored"] + stats["duplicates"] + stats["rejected"]:
        raise RuntimeError(f"a message is not accounted for: {stats}")
    return stats


def _counts(folder: Path, pids: list[int]) -> Counter[str]:
    """What all processes have counted so far."""
    for file in folder.iterdir():
        file.unlink()
    for pid in pids:
        os.kill(pid, signal.SIGUSR2)
    wait_until(lambda: len(list(folder.glob("*.json"))) == len(pids), 10, lambda: "a process does not tell its counts")
    total: Counter[str] = Counter()
    for file in folder.glob("*.json"):
        total.update(json.loads(file.read_text()))
    return total
