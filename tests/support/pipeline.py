"""The whole pipeline over the engine in memory and a SQLite store: what most tests of the app's rooms run on."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from azure.durable_functions import OrchestrationRuntimeStatus

from activities import before, finish, flush, prepare, store, update_drones
from durable_sdk.client import CommonClient
from pipeline import intake, windows
from pipeline.durable import DurableClient, InstanceStatus, Walk
from pipeline.ports import BatchFilter, DeadLetterFilter, Store
from pipeline.records import Batch
from pipeline.steps import ENRICH, VALIDATE
from pipeline.windows import FLUSH_ACTIVITY
from reference_data import ReferenceData
from storage.sqlite import SqliteStore
from telemetry.model import DeadLetter, Delivery, Message
from telemetry.rules import Rules
from tests.support.engine import Activity, Engine

NO_REFERENCE_DATA = ReferenceData(None, None)


class OverEngine(CommonClient):
    """The app's adapter, but for the one question that it asks of the HTTP API."""

    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus], walk: Walk
    ) -> list[str]:
        found = await self._client.get_status_by(
            created_time_to=created_before,
            runtime_status=[OrchestrationRuntimeStatus(status.value) for status in statuses],
            instance_id_prefix=prefix,
        )
        walk.token, walk.over = None, True
        return [status.instance_id for status in found]


@dataclass
class Pipeline:
    """``store`` and ``client`` may be wrapped; what an assertion reads is the wrapped store's inside."""

    store: Store
    engine: Engine
    client: Any
    rules: Rules = field(default_factory=Rules)
    known: ReferenceData = NO_REFERENCE_DATA
    page_size: int = prepare.PAGE_SIZE
    in_memory: bool = False
    signal_window: float = 0.0

    async def receive(self, deliveries: Sequence[Delivery]) -> Batch:
        return await intake.receive(self.store, self.durable, deliveries)

    @property
    def durable(self) -> DurableClient:
        """The client as a function hands it on: through the app's adapter."""
        return OverEngine(self.client)

    @property
    def windowed(self) -> update_drones.Windowed | None:
        if not self.signal_window:
            return None

        async def read(key: str) -> Any:
            return json.loads(self.engine.entities.get(key) or "null")

        return update_drones.Windowed(self.signal_window, self.rules, read)

    async def sweep_held(self) -> None:
        """Whatever is held is late."""
        await windows.sweep_held(self.store, self.durable, self.signal_window, -1 - self.signal_window)

    async def prepare(self, batch: Batch) -> None:
        await prepare.prepare(
            self.store, batch, self.rules, self.known, page_size=self.page_size, in_memory=self.in_memory
        )

    def activities(self) -> dict[str, Activity]:
        return {
            "store_messages": lambda reference: store.store(self.store, reference, self.prepare),
            "finish_batch": lambda reference: finish.finish(
                self.store, self.durable, reference, self.prepare, self.windowed
            ),
            FLUSH_ACTIVITY: lambda window: flush.flush(self.store, self.durable, window),
            "fail_batch": lambda reference: finish.fail(self.store, reference),
            # Of the version before:
            "validate_batch": lambda reference: before.prepared(self.store, reference, VALIDATE, self.prepare),
            "enrich_messages": lambda reference: before.prepared(self.store, reference, ENRICH, self.prepare),
            "update_drones": lambda reference: before.update_drones(self.store, self.durable, reference, self.prepare),
            "complete_batch": lambda reference: before.complete(self.store, reference),
        }


def make_pipeline(store_: Store, engine: Engine | None = None, *, signal_window: float = 0.0) -> Pipeline:
    engine = engine or Engine({})
    pipeline = Pipeline(store_, engine, engine.client, signal_window=signal_window)
    engine.activities = pipeline.activities()
    return pipeline


async def open_sqlite(folder: Path) -> Store:
    opened: Store = SqliteStore(folder)
    await opened.open()
    return opened


def delivery(number: int, body: Any, *, partition: str = "0", second: int = 0, hub: str = "telemetry") -> Delivery:
    """Event ``number`` of a partition; ``body`` is bytes, or what becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return Delivery(hub, partition, number, str(number * 100), f"2026-01-01T00:00:{second:02d}.{number:06d}Z", raw)


def message(device: str, second: int, **fields: Any) -> dict[str, Any]:
    return {"deviceId": device, "timestamp": f"2026-01-01T00:00:{second:02d}Z", **fields}


async def all_batches(store_: Store) -> list[Batch]:
    return (await store_.ledger.list(BatchFilter(), 1000, None)).items


async def all_letters(store_: Store) -> list[DeadLetter]:
    return (await store_.dead_letters.list(DeadLetterFilter(), 1000, None)).items


async def all_messages(store_: Store, devices: Sequence[str]) -> dict[str, list[Message]]:
    found = {}
    for device in devices:
        page = await store_.messages.history(device, None, None, ascending=True, limit=1000, continuation=None)
        found[device] = page.items
    return found


def body_of(letter: DeadLetter) -> bytes:
    return base64.b64decode(letter["body"])
