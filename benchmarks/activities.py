"""The pipeline's activities on one batch of 1,000 messages of 500 drones, against the floor: orjson's decode of the
same bytes and one executemany insert of the same rows into the same kind of SQLite file. Python's collector is set as
in a worker of the local host."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from functions_host import garbage

import simulator
from activities.finish import finish
from activities.prepare import prepare
from activities.store import store as store_step
from benchmarks.batches import deliveries, received
from benchmarks.report import Row
from pipeline.records import Batch
from pipeline.steps import reference_to
from reference_data import ReferenceData
from storage.sqlite.store import SqliteStore
from telemetry.model import Delivery
from telemetry.registry import Registry
from telemetry.rules import Rules
from telemetry.zones import Zones

MESSAGES, DRONES = 1_000, 500


class NoSignals:
    """Stands in for the durable client: what signals cost is the engine's measurement."""

    async def signal(self, *_: Any) -> None:
        return None


def measure(*, quick: bool) -> list[Row]:
    runs = 5 if quick else 30
    with tempfile.TemporaryDirectory() as folder:
        pipeline, rows = asyncio.run(_pipeline(Path(folder), runs))
        floor = _floor(Path(folder), runs, rows)
    stages = {stage: statistics.median(times[stage] for times in pipeline) for stage in pipeline[0]}
    whole = statistics.median(sum(times.values()) for times in pipeline)
    what = f"{MESSAGES:,} messages of {DRONES} drones, median of {runs}"
    return [
        *(Row("activities", f"{what}: {stage}", 1e3 * value, "ms") for stage, value in stages.items()),
        Row("activities", f"{what}: all steps, without the signals", 1e3 * whole, "ms"),
        Row("activities", f"{what}: all steps, a message", 1e6 * whole / MESSAGES, "µs", 20, at_least=False),
        Row("activities", f"{what}: the floor", 1e3 * floor, "ms"),
        Row("activities", "all steps against the floor", whole / floor, "x", 4, at_least=False),
    ]


async def _pipeline(folder: Path, runs: int) -> tuple[list[dict[str, float]], list[tuple[Any, ...]]]:
    store = SqliteStore(folder / "pipeline")
    await store.open()
    demo = Path(simulator.__file__).parent
    registry, zones = (demo / "drones.json").read_bytes(), (demo / "zones.geojson").read_bytes()
    known = ReferenceData(Registry.parse(registry), Zones.parse(zones))
    rules, client = Rules(), NoSignals()

    async def judge(batch: Batch) -> None:
        await prepare(store, batch, rules, known, in_memory=True)

    measured = []
    for run in range(-3, runs):  # three to warm up
        if run == 0:
            garbage.settle()
        batch, raw = received(deliveries(MESSAGES, DRONES, first=(run + 3) * MESSAGES))
        await store.ledger.receive(batch, raw)
        reference = reference_to(batch)
        clock = _Clock()
        result = await store_step(store, reference, judge)
        clock.lap("judge and store")
        await finish(store, client, {**reference, "counts": result["counts"]}, judge)  # type: ignore[arg-type]
        clock.lap("merge and complete")
        assert result["counts"]["stored"] == MESSAGES
        if run >= 0:
            measured.append(clock.laps)
    await store.close()
    file = sqlite3.connect(folder / "pipeline" / "store.db")
    rows = file.execute(f"SELECT * FROM messages LIMIT {MESSAGES}").fetchall()
    file.close()
    return measured, rows


class _Clock:
    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now


def _floor(folder: Path, runs: int, rows: list[tuple[Any, ...]]) -> float:
    bodies = [delivery.body for delivery in _events()]
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    source = sqlite3.connect(folder / "pipeline" / "store.db")
    for (schema,) in source.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'messages' AND sql IS NOT NULL"):
        connection.execute(schema)
    source.close()
    statement = f"INSERT INTO messages VALUES ({', '.join('?' * len(rows[0]))})"
    times = []
    for _ in range(runs):
        connection.execute("DELETE FROM messages")
        began = time.perf_counter()
        for body in bodies:
            orjson.loads(body)
        connection.execute("BEGIN")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
        times.append(time.perf_counter() - began)
    connection.close()
    return statistics.median(times)


def _events() -> list[Delivery]:
    return deliveries(MESSAGES, DRONES)
