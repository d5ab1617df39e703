"""A store with a past: 1,000,000 finished instances and 10,000,000 messages on disk. How long the host takes to start
on it, and to answer what operators ask, beside 1,000 messages/s."""

from __future__ import annotations

import itertools
import random
import shutil
import tempfile
import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

from azure.eventhub import EventData, EventHubProducerClient

from benchmarks.big_data import Copies, multiply_instances, multiply_store
from benchmarks.fleet import HUB, Fleet, percentile
from benchmarks.report import Row
from tools.local_host import LocalHost

INSTANCES, MESSAGES = 1_000_000, 10_000_000
DRONES = 1_000
SEED_SECONDS = 30
RARE = 50
GIB_NEEDED = 30
KEEP = {
    f"RETENTION_{what}_HOURS": "100000"
    for what in ("MESSAGES", "BATCHES", "DEADLETTERS", "FLIGHTS", "DURABLE", "ALERTS", "PURGED")
}
# While the seed is made: messages and instances come in the proportion that is wanted.
SMALL_BATCHES = {f"AzureFunctionsJobHost__extensions__eventHubs__{name}EventBatchSize": "10" for name in ("max", "min")}
MOST_SECONDS = 0.05


def measure(*, quick: bool) -> list[Row]:
    instances, messages = (INSTANCES // 100, MESSAGES // 100) if quick else (INSTANCES, MESSAGES)
    with tempfile.TemporaryDirectory() as folder:
        if not quick and shutil.disk_usage(folder).free < GIB_NEEDED * 2**30:
            raise SystemExit(
                f"bigstore needs {GIB_NEEDED} GiB in {folder}: TMPDIR names another place, --quick needs 1"
            )
        host = LocalHost(Path(folder) / "data", settings={**KEEP, **SMALL_BATCHES})
        past = _seed(host, instances, messages)
        host.settings = dict(KEEP)
        big = [_start(host) for _ in range(3)]
        empty = LocalHost(Path(folder) / "empty", settings=KEEP)
        small = [_start(empty) for _ in range(3)]
        with host:
            answers = _ask(host, 15 if quick else 60, past)
    what = f"{instances:,} finished instances, {messages:,} messages"
    rows = [
        Row("bigstore", "start with nothing on disk, slowest of three", max(small), "s"),
        Row("bigstore", f"start with {what}, slowest of three", max(big), "s", 3, False),
    ]
    for question, seconds in answers.items():
        rows.append(Row("bigstore", f"{question}: p50", percentile(seconds, 0.5) * 1000, "ms"))
        rows.append(Row("bigstore", f"{question}: p99", percentile(seconds, 0.99) * 1000, "ms", 50, False))
    return rows


def _start(host: LocalHost) -> float:
    """Seconds until the health is 200; the host is stopped again."""
    began = time.monotonic()
    host.start(seconds=600)
    took = time.monotonic() - began
    host.stop(seconds=60)
    return took


def _seed(host: LocalHost, instances: int, messages: int) -> timedelta:
    """A little of everything by the app itself, multiplied on disk. How far back it reaches."""
    with host:
        fleet = Fleet(host, drones=DRONES, rate=0.1, seconds=SEED_SECONDS)
        with EventHubProducerClient.from_connection_string(host.connection, eventhub_name=HUB) as producer:
            bad = [EventData(b'{"deviceId":"drone-%d","battery":7}' % number) for number in range(20)]
            producer.send_batch(bad, partition_id="0")
        sent = int(fleet.result()["sent"]) + len(bad)
        stats = host.settled(messages=sent, seconds=300)
        host.get("/api/flights?limit=1")
    batches = int(stats["batches"]["completed"])
    copies = Copies(messages // sent, instances // batches, SEED_SECONDS, RARE)
    began = time.monotonic()
    multiply_store(host.data / "app" / "store.db", copies)
    multiply_instances(host.data / "durable" / "durable.db", copies.batches, SEED_SECONDS)
    print(f"   {sent:,} messages in {batches:,} batches multiplied in {time.monotonic() - began:.0f} s", flush=True)
    return timedelta(seconds=copies.messages * SEED_SECONDS)


def _questions(past: timedelta) -> dict[str, list[str]]:
    """By what is asked for: paths, of which each may be asked next."""
    now = datetime.now(timezone.utc)

    def range_of(share: float, minutes: float) -> str:
        begin = now - past * share
        return f"from={_text(begin)}&to={_text(begin + timedelta(minutes=minutes))}"

    shares = (0.05, 0.3, 0.6, 0.95)
    drones = [f"drone-{number}" for number in random.Random(1).sample(range(DRONES), 20)]
    return {
        "fleet": ["/api/drones", "/api/drones?connectivity=online&limit=100", "/api/drones?flightMode=inflight"],
        "fleet, all 1,000 drones in one answer": ["/api/drones?limit=1000"],
        "history": [
            *(f"/api/drones/{drone}/history" for drone in drones),
            *(f"/api/drones/{drones[0]}/history?order=asc&{range_of(share, 60)}" for share in shares),
        ],
        "batches": [
            "/api/batches", "/api/batches?status=failed", "/api/batches?status=completed&partition=2",
            *(f"/api/batches?{range_of(share, 10)}" for share in shares),
            *(f"/api/batches?partition=1&status=failed,completed&{range_of(share, 1)}" for share in shares),
        ],
        "dead letters": [
            "/api/deadletters", "/api/deadletters?status=discarded", "/api/deadletters?errorCode=battery_out_of_range",
            "/api/deadletters?deviceId=drone-3", "/api/deadletters?deviceId=drone-3&errorCode=missing_device_id",
            "/api/deadletters?errorCode=missing_device_id",
        ],
        "flights": [
            "/api/flights", *(f"/api/drones/{drone}/flights" for drone in drones[:5]),
            *(f"/api/flights?{range_of(share, 10)}" for share in shares),
            *(f"/api/flights?deviceId={drones[1]}&{range_of(share, 60)}" for share in shares),
        ],
        "statistics and health": ["/api/stats", "/api/health"],
    }  # fmt: skip


def _ask(host: LocalHost, seconds: float, past: timedelta) -> dict[str, list[float]]:
    """One question after another, beside 1,000 messages a second; seconds of each answer."""
    before = int(host.get("/api/stats")["messages"])
    fleet = Fleet(host, drones=DRONES, rate=1, seconds=seconds, seed=2)
    took: dict[str, list[float]] = defaultdict(list)
    slowest: dict[str, tuple[float, str]] = {}
    questions = {what: itertools.cycle(paths) for what, paths in _questions(past).items()}
    while fleet.running():
        for what, paths in questions.items():
            path = next(paths)
            began = time.monotonic()
            answer = host.request("GET", path)
            took[what].append(time.monotonic() - began)
            assert answer.status == 200, (path, answer)
            slowest[what] = max(slowest.get(what, (0.0, "")), (took[what][-1], path))
            time.sleep(0.01)
    host.settled(messages=before + int(fleet.result()["sent"]), seconds=120)
    for what, (longest, path) in slowest.items():
        print(f"   {what}: {len(took[what])} answers, the slowest {longest * 1000:.0f} ms: {path}", flush=True)
    return took


def _text(moment: datetime) -> str:
    return quote(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
