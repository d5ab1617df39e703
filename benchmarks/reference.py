"""The reference's algorithm beside the pipeline's: per message, one after another, decode, read the drone's document,
merge, upsert it. On the same kind of SQLite file, and on stores that take 5 ms longer for every call."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from activities.finish import finish
from activities.prepare import prepare
from activities.store import store as store_step
from benchmarks.batches import deliveries, received
from benchmarks.report import Row
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import reference_to
from reference_data import get_reference_data
from storage.sqlite.store import SqliteStore
from telemetry.rules import Rules

MESSAGES, DRONES = 1_000, 500
DELAY_SECONDS = 0.005


def measure(*, quick: bool) -> list[Row]:
    messages = 200 if quick else MESSAGES
    rows = []
    for delay, name in ((0.0, "SQLite"), (DELAY_SECONDS, "5 ms added per call")):
        with tempfile.TemporaryDirectory() as folder:
            theirs = messages / asyncio.run(_reference(Path(folder), messages, delay))
            ours = messages / asyncio.run(_ours(Path(folder), messages, delay))
        rows += [
            Row("reference", f"{name}: one after another", theirs, "messages/s"),
            Row("reference", f"{name}: the pipeline's activities", ours, "messages/s"),
            Row("reference", f"{name}: ratio", ours / theirs, "x", 5 if delay else None),
        ]
    return rows


async def _reference(folder: Path, messages: int, delay: float) -> float:
    documents = _Documents(folder / "reference.db", delay)
    bodies = [delivery.body for delivery in deliveries(messages, DRONES)]
    began = time.perf_counter()
    for body in bodies:
        change = orjson.loads(body)
        known = await documents.read(change["deviceId"])
        merged = {**known, **{key: value for key, value in change.items() if value is not None}}
        await documents.upsert(change["deviceId"], merged)
    return time.perf_counter() - began


class _Documents:
    """One document a drone: a read and an upsert, each a call to the store."""

    def __init__(self, path: Path, delay: float) -> None:
        self._delay = delay
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("CREATE TABLE drones (id TEXT PRIMARY KEY, document TEXT)")

    async def read(self, device: str) -> dict[str, Any]:
        await asyncio.sleep(self._delay)
        row = self._connection.execute("SELECT document FROM drones WHERE id = ?", (device,)).fetchone()
        document: dict[str, Any] = orjson.loads(row[0]) if row else {}
        return document

    async def upsert(self, device: str, document: dict[str, Any]) -> None:
        await asyncio.sleep(self._delay)
        self._connection.execute("INSERT OR REPLACE INTO drones VALUES (?, ?)", (device, orjson.dumps(document)))


async def _ours(folder: Path, messages: int, delay: float) -> float:
    store = SqliteStore(folder / "ours")
    await store.open()
    slow: Any = store if delay == 0 else _SlowStore(store, delay)
    batch, raw = received(deliveries(messages, DRONES))
    await store.ledger.receive(batch, raw)
    reference = reference_to(batch)

    async def judge(batch: Batch) -> None:
        await prepare(slow, batch, Rules(), get_reference_data())

    began = time.perf_counter()
    result = await store_step(slow, reference, judge)
    await finish(slow, _SlowClient(delay), {**reference, "counts": result["counts"]}, judge)  # type: ignore[arg-type]
    took = time.perf_counter() - began
    await store.close()
    return took


class _SlowStore:
    """The store with a delay before every call of its ports."""

    def __init__(self, store: Store, delay: float) -> None:
        self.ledger = _SlowPort(store.ledger, delay)
        self.messages = _SlowPort(store.messages, delay)
        self.dead_letters = _SlowPort(store.dead_letters, delay)


class _SlowPort:
    def __init__(self, port: Any, delay: float) -> None:
        self._port = port
        self._delay = delay

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def call(*args: Any, **named: Any) -> Any:
            await asyncio.sleep(self._delay)
            return await method(*args, **named)

        return call


class _SlowClient:
    """A durable client whose signals take as long as a call to the store."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    async def signal(self, *_: Any) -> None:
        await asyncio.sleep(self._delay)
