"""The store step on Cosmos DB and Blob, with 5 ms added to every document call, against the reference's way on the same
server in the same run: per message, one after another, read the drone's document, merge, upsert it.

The servers are those of the tests (``tests/support/servers``). They charge one unit a call, which counts calls; what
a call costs in request units stands in docs/storage-azure.md.
"""

from __future__ import annotations

import asyncio
import time

import orjson
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from activities.prepare import prepare
from activities.store import store as store_step
from benchmarks.batches import deliveries, received
from benchmarks.report import Row
from pipeline.records import Batch
from pipeline.steps import reference_to
from reference_data import get_reference_data
from settings import read_settings
from storage.azure import AzureStore
from storage.azure.containers import MESSAGES
from telemetry.rules import Rules
from tests.support.servers.azure_servers import AzureServers, azure_servers

BATCH, DRONES = 1_000, 500
DELAY_MS = 5


def measure(*, quick: bool) -> list[Row]:
    messages = 200 if quick else BATCH
    with azure_servers() as servers:
        assert servers.cosmos_faults is not None
        return asyncio.run(_measure(servers, messages))


async def _measure(servers: AzureServers, messages: int) -> list[Row]:
    settings = read_settings(servers.environment("benchmark"))
    assert settings.azure is not None
    assert servers.cosmos_faults is not None
    store = AzureStore(settings.azure, settings.retention)
    await store.open()
    batch, raw = received(deliveries(messages, DRONES))
    await store.ledger.receive(batch, raw)
    reference = reference_to(batch)

    async def judge(batch: Batch) -> None:
        await prepare(store, batch, Rules(), get_reference_data())

    await judge(batch)

    servers.cosmos_faults.add("/docs", delay=DELAY_MS, times=10**9)
    calls = store.request_units()[MESSAGES]
    began = time.perf_counter()
    result = await store_step(store, reference, judge)
    ours = time.perf_counter() - began
    calls = store.request_units()[MESSAGES] - calls
    assert result["counts"]["stored"] == messages
    theirs = await _reference(servers, messages)
    servers.cosmos_faults.clear()
    await store.close()
    what = f"{messages:,} messages of {DRONES} drones, {DELAY_MS} ms a call"
    return [
        Row("azure", f"{what}: the store step", ours, "s"),
        Row("azure", f"{what}: read, merge, upsert one after another", theirs, "s"),
        Row("azure", "store step against one after another", ours / theirs, "x", 0.1, at_least=False),
        Row("azure", "calls to Cosmos DB a message", calls / messages, "calls"),
    ]


async def _reference(servers: AzureServers, messages: int) -> float:
    client = CosmosClient(servers.cosmos_endpoint, servers.cosmos_key, enable_endpoint_discovery=False)
    async with client:
        # The drones' documents live in a container of the same database; its partition key is the device id.
        container = client.get_database_client("benchmark").get_container_client("messages")
        bodies = [delivery.body for delivery in deliveries(messages, DRONES)]
        began = time.perf_counter()
        for body in bodies:
            change = orjson.loads(body)
            key = f"latest-{change['deviceId']}"
            try:
                known = await container.read_item(key, change["deviceId"])
            except CosmosResourceNotFoundError:
                known = {}
            await container.upsert_item({**known, **change, "id": key})
        return time.perf_counter() - began
