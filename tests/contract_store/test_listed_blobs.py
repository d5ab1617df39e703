"""An Azure store that the code wrote which kept every body in a blob and listed the staged ones to delete them: it is
read, gone on with and purged by today's. ``listed_blobs/store.json`` was taken from that code on the test servers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.storage.blob import ContainerClient

from pipeline.attempts import replay_batch
from pipeline.records import BatchStatus, Counts
from settings import AzureStoreSettings
from storage.azure import AzureStore
from storage.azure.containers import OLD_MESSAGES
from tests.support.azure_stores import RETENTION, cosmos_client, forget, settings_for
from tests.support.pipeline import Pipeline, all_messages, delivery, make_pipeline, message
from tests.support.records import FAR_FUTURE
from tests.support.servers.azure_servers import AzureServers

STORE = Path(__file__).parent / "listed_blobs" / "store.json"
DONE, UNDER_WAY, FAILED = (
    f"telemetry~0~{first}~{last}~20260101T00000000000{first}Z" for first, last in ((1, 2), (3, 4), (5, 5))
)


def put_back(settings: AzureStoreSettings) -> None:
    kept = json.loads(STORE.read_text())
    assert settings.blob_connection_string is not None
    with cosmos_client(settings) as client:
        database = client.create_database_if_not_exists(settings.cosmos_database)
        for name, items in kept["items"].items():
            key = "/deviceId" if name == OLD_MESSAGES else "/bucket"
            container = database.create_container_if_not_exists(name, PartitionKey(key), default_ttl=-1)
            for item in items:
                container.upsert_item(item)
    with ContainerClient.from_connection_string(settings.blob_connection_string, settings.blob_container) as blobs:
        blobs.create_container()
        for name, content in kept["blobs"].items():
            blobs.upload_blob(name, base64.b64decode(content))


def blobs_in(store: AzureStore) -> list[str]:
    settings = store._settings
    assert settings.blob_connection_string is not None
    with ContainerClient.from_connection_string(settings.blob_connection_string, settings.blob_container) as container:
        return sorted(container.list_blob_names())


@pytest.fixture
async def pipeline(servers: AzureServers) -> AsyncIterator[Pipeline]:
    settings = settings_for(servers)
    await asyncio.to_thread(put_back, settings)
    store = AzureStore(settings, RETENTION, settle=0)
    await store.open()
    yield make_pipeline(store)
    await store.close()
    await asyncio.to_thread(forget, servers, settings)


async def counts_of(pipeline: Pipeline, batch_id: str) -> Any:
    batch = await pipeline.store.ledger.get(batch_id)
    assert batch is not None
    return batch.status, batch.counts


async def test_all_of_it_is_gone_on_with_and_nothing_stays_behind(pipeline: Pipeline) -> None:
    ledger = pipeline.store.ledger
    for batch_id in (DONE, UNDER_WAY, FAILED):
        assert (await ledger.raw(batch_id) or b"").startswith(b"DTB")

    # What the version before has staged is stored as it stands.
    pipeline.engine.start("process_batch", f"{UNDER_WAY}~1", {"batchId": UNDER_WAY})
    pipeline.engine.activities |= dict.fromkeys(("validate_batch", "enrich_messages"), _done)
    await pipeline.engine.run()
    assert await counts_of(pipeline, UNDER_WAY) == (BatchStatus.COMPLETED, Counts(3, 2, 0, 1))

    pipeline.engine.activities |= pipeline.activities()
    for batch_id, counts in ((FAILED, Counts(1, 1, 0, 0)), (DONE, Counts(3, 2, 0, 1))):
        await replay_batch(pipeline.store, pipeline.durable, batch_id)
        await pipeline.engine.run()
        assert await counts_of(pipeline, batch_id) == (BatchStatus.COMPLETED, counts)
    messages = await all_messages(pipeline.store, ["a", "b", "c", "d"])
    assert {device: len(found) for device, found in messages.items()} == {"a": 2, "b": 1, "c": 1, "d": 1}

    store: Any = pipeline.store
    assert {name.split("/")[0] for name in await asyncio.to_thread(blobs_in, store)} == {"raw"}
    assert await ledger.purge(FAR_FUTURE, 10) == 3
    assert await asyncio.to_thread(blobs_in, store) == []


async def test_one_that_is_delivered_again_leaves_nothing_behind_either(pipeline: Pipeline) -> None:
    again = [delivery(1, [message("a", 1, battery=0.5), message("b", 2)]), delivery(2, message("b", 3, battery=7))]
    assert (await pipeline.receive(again)).status is BatchStatus.COMPLETED
    await pipeline.store.ledger.purge(FAR_FUTURE, 10)
    assert await pipeline.store.ledger.raw(DONE) is None


async def _done(_: Any) -> Any:
    return {"current": True}
