"""Messages that an earlier version kept by the drone alone are read, found again and purged beside today's.

``by_drone/messages.json`` is what that version wrote into the container ``messages``: five messages of one batch.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from azure.cosmos import PartitionKey
from azure.storage.blob import ContainerClient

from pipeline.flights import FlightKeeper
from pipeline.intake import new_batch
from pipeline.records import Counts
from settings import AzureStoreSettings
from storage.azure import AzureStore
from storage.azure.containers import MESSAGES, OLD_MESSAGES
from telemetry.flights import FlightRules
from tests.support.azure_stores import RETENTION, cosmos_client, forget, settings_for
from tests.support.messages import delivery
from tests.support.pipeline import make_pipeline
from tests.support.servers.azure_servers import AzureServers

ITEMS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "by_drone" / "messages.json").read_text())
BIG = "x" * 600_000
# What that version was sent, in one batch.
BODIES = [
    {
        "deviceId": "drone-7",
        "timestamp": "2026-03-01T11:59:50Z",
        "battery": 0.8,
        "flightMode": "takeoff",
        "position": {"latitude": 47.47, "longitude": -122.19, "altitude": 80.5},
    },
    {
        "deviceId": "drone-7",
        "timestamp": "2026-03-01T11:59:55Z",
        "battery": 0.79,
        "flightMode": "inflight",
        "firmware": "1.2",
        "serial": 9007199254740993,
    },
    {"deviceId": "drone-7", "battery": 0.78},
    {"deviceId": "drone-8", "timestamp": "2026-02-28T23:59:59Z", "battery": 0.5},
    {"deviceId": "drone-8", "timestamp": "2026-03-01T00:00:01Z", "battery": 0.4, "big": BIG},
]
LATER = {"deviceId": "drone-7", "timestamp": "2026-03-01T12:00:30Z", "battery": 0.7, "flightMode": "inflight"}


def write_as_then(settings: AzureStoreSettings) -> None:
    with cosmos_client(settings) as client:
        database = client.create_database_if_not_exists(settings.cosmos_database)
        container = database.create_container(OLD_MESSAGES, PartitionKey("/deviceId"), default_ttl=-1)
        for item in ITEMS:
            container.create_item(item)
    assert settings.blob_connection_string is not None
    with ContainerClient.from_connection_string(settings.blob_connection_string, settings.blob_container) as blobs:
        blobs.create_container()
        (name,) = [item["oversize"] for item in ITEMS if "oversize" in item]
        blobs.upload_blob(name, orjson.dumps({"extraJson": orjson.dumps({"big": BIG}).decode()}))


@pytest.fixture
async def settings(servers: AzureServers) -> AsyncIterator[AzureStoreSettings]:
    made = settings_for(servers)
    await asyncio.to_thread(write_as_then, made)
    yield made
    await asyncio.to_thread(forget, servers, made)


@pytest.fixture
async def store(settings: AzureStoreSettings) -> AsyncIterator[AzureStore]:
    opened = AzureStore(settings, RETENTION, settle=0)
    await opened.open()
    yield opened
    await opened.close()


async def batteries(store: AzureStore, device: str, *, ascending: bool = True, limit: int = 100) -> list[float | None]:
    found, continuation = [], None
    while True:
        page = await store.messages.history(
            device, None, None, ascending=ascending, limit=limit, continuation=continuation
        )
        found += [one.get("battery") for one in page.items]
        continuation = page.continuation
        if continuation is None:
            return found


async def test_a_history_goes_through_both(store: AzureStore) -> None:
    pipeline = make_pipeline(store)
    await pipeline.receive([delivery(LATER, sequence_number=6)])
    await pipeline.engine.run()
    for limit in (1, 2, 100):
        assert await batteries(store, "drone-7", limit=limit) == [0.8, 0.79, 0.78, 0.7]
        assert await batteries(store, "drone-7", ascending=False, limit=limit) == [0.7, 0.78, 0.79, 0.8]
    page = await store.messages.history(
        "drone-7", "2026-03-01T11:59:55", "2026-03-01T12:00:30", ascending=True, limit=9, continuation=None
    )
    assert [one["battery"] for one in page.items] == [0.79, 0.78]
    assert page.items[0]["extra"] == {"firmware": "1.2", "serial": 9007199254740993}
    assert "day" not in page.items[0]
    (_, big) = (await store.messages.history("drone-8", None, None, ascending=True, limit=9, continuation=None)).items
    assert big["extra"] == {"big": BIG}


async def test_what_was_stored_then_is_a_duplicate_now(store: AzureStore) -> None:
    """The same messages with a device's time again, in another delivery; without one it is another message."""
    pipeline = make_pipeline(store)
    again = await pipeline.receive([delivery(body, sequence_number=n) for n, body in enumerate(BODIES, 11)])
    await pipeline.engine.run()
    completed = await store.ledger.get(again.id)
    assert completed is not None
    assert completed.counts == Counts(messages=5, stored=1, duplicates=4, rejected=0)
    assert await batteries(store, "drone-7") == [0.8, 0.79, 0.78, 0.78]
    assert await batteries(store, "drone-8") == [0.5, 0.4]


async def test_a_batch_that_was_under_way_counts_what_it_wrote_then(store: AzureStore) -> None:
    """The very batch is delivered again, or goes on after the new version has been deployed."""
    pipeline = make_pipeline(store)
    deliveries = [delivery(body, sequence_number=n, offset=str(n)) for n, body in enumerate(BODIES, 1)]
    assert new_batch(deliveries).id == ITEMS[0]["batchId"]
    batch = await pipeline.receive(deliveries)
    await pipeline.engine.run()
    completed = await store.ledger.get(batch.id)
    assert completed is not None
    assert completed.counts == Counts(messages=5, stored=5, duplicates=0, rejected=0)
    assert await batteries(store, "drone-7") == [0.8, 0.79, 0.78]


async def test_flights_are_worked_out_from_both(store: AzureStore) -> None:
    pipeline = make_pipeline(store)
    await pipeline.receive([delivery(LATER, sequence_number=6)])
    await pipeline.engine.run()
    await asyncio.sleep(2.1)  # they look at seconds that are over
    keeper = FlightKeeper(store.messages, store.flights, FlightRules())
    assert await keeper.catch_up(60)
    (flight,) = await store.flights.between("drone-7", None, None)
    assert (flight["startedAt"], flight["messages"]) == ("2026-03-01T11:59:50.000000Z", 4)


async def test_both_are_purged(store: AzureStore, settings: AzureStoreSettings) -> None:
    pipeline = make_pipeline(store)
    await pipeline.receive([delivery(LATER, sequence_number=6)])
    await pipeline.engine.run()
    assert await store.messages.purge("2026-03-02T00:00:00.000000Z", 100) == 6
    assert await batteries(store, "drone-7") == await batteries(store, "drone-8") == []
    assert settings.blob_connection_string is not None
    with ContainerClient.from_connection_string(settings.blob_connection_string, settings.blob_container) as blobs:
        assert list(blobs.list_blob_names(name_starts_with="messages/")) == []


async def test_once_it_is_empty_it_is_looked_at_no_more(
    store: AzureStore, settings: AzureStoreSettings, servers: AzureServers
) -> None:
    if servers.cosmos_faults is None:
        pytest.skip("only our own servers note what they are asked for")
    await store.messages.purge("2026-03-02T00:00:00.000000Z", 100)
    today = AzureStore(settings, RETENTION, settle=0)
    await today.open()
    servers.cosmos_faults.record()
    pipeline = make_pipeline(today)
    await pipeline.receive([delivery(LATER, sequence_number=6)])
    await pipeline.engine.run()
    assert await batteries(today, "drone-7") == [0.7]
    asked = servers.cosmos_faults.recorded()
    servers.cosmos_faults.clear()
    await today.close()
    assert any(f"/colls/{MESSAGES}/docs" in line for line in asked)
    assert not any(f"/colls/{OLD_MESSAGES}/" in line for line in asked)
