"""What only the Azure adapters promise: times to live, sizes, keys that stay secret, any event loop."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from pipeline.ports import StoreUnavailable
from pipeline.records import Counts, Move
from settings import AzureStoreSettings
from storage.azure import AzureStore
from storage.azure.bodies import MAX_TEXT
from storage.azure.containers import DEAD_LETTERS, MESSAGES
from tests.support.azure_stores import RETENTION, azure_store, cosmos_client, forget, settings_for
from tests.support.records import FAR_FUTURE, at, batch, letter, message
from tests.support.servers.azure_servers import AzureServers


@pytest.fixture
async def store(servers: AzureServers) -> AsyncIterator[AzureStore]:
    async with azure_store(servers) as opened:
        yield opened


def items_in(store: AzureStore, container: str) -> list[dict[str, Any]]:
    settings = store._settings
    with cosmos_client(settings) as client:
        database = client.get_database_client(settings.cosmos_database)
        return list(database.get_container_client(container).read_all_items())


def blobs_in(store: AzureStore) -> list[str]:
    settings = store._settings
    assert settings.blob_connection_string is not None
    with ContainerClient.from_connection_string(settings.blob_connection_string, settings.blob_container) as container:
        return sorted(container.list_blob_names())


async def test_messages_live_as_long_as_the_settings_say(store: AzureStore) -> None:
    await store.messages.put([message("m1")], "b")
    (item,) = await asyncio.to_thread(items_in, store, MESSAGES)
    assert item["ttl"] == 30 * 24 * 3600


async def test_the_service_deletes_a_message_whose_time_is_over(servers: AzureServers) -> None:
    async with azure_store(servers, messages_hours=0.0001) as store:  # under a second counts as one
        await store.messages.put([message("m1")], "b")

        async def gone() -> bool:
            page = await store.messages.history("drone-1", None, None, ascending=True, limit=1, continuation=None)
            return not page.items

        for _ in range(200):
            if await gone():
                break
            await asyncio.sleep(0.02)
        assert await gone()


async def test_ledger_and_open_letters_have_no_time_to_live_and_traces_have(store: AzureStore) -> None:
    await store.ledger.receive(batch("b1"), b"raw")
    await store.ledger.begin("b1", "b1-1", "validate")
    await store.ledger.stage("b1", "b1-1", "validated", b"1")
    await store.dead_letters.put([letter("l1")], "b1")
    await store.ledger.recount("b1", "l1", Move(1, 1, 0))
    items = await asyncio.to_thread(items_in, store, "batches")
    assert {item["kind"]: "ttl" in item for item in items} == {
        "batch": False,
        "raw": False,
        "staged": False,
        "coverage": False,
        "totals": False,
        "recount": True,
    }
    assert not any("ttl" in item for item in await asyncio.to_thread(items_in, store, "deadletters"))


async def test_what_is_too_large_lies_in_a_blob_until_it_is_purged(store: AzureStore) -> None:
    big = "x" * 3_000_000
    await store.messages.put([message("m1", extra={"log": big}), message("m2", second=1)], "b1")
    await store.dead_letters.put([letter("l1", body=big), letter("l2")], "b1")
    for container in (MESSAGES, DEAD_LETTERS):
        for item in await asyncio.to_thread(items_in, store, container):
            assert len(str(item)) < 10_000
            assert "ttl" not in item or "oversize" not in item  # the blob would stay behind
    assert [name.split("/")[0] for name in await asyncio.to_thread(blobs_in, store)] == ["letters", "messages"]
    await store.dead_letters.resolve("l1", "discarded", at=at(1))
    await store.messages.purge(FAR_FUTURE, 10)
    await store.dead_letters.purge(FAR_FUTURE, 10)
    assert await asyncio.to_thread(blobs_in, store) == []


SMALL, LARGE = b"1", Random(1).randbytes(MAX_TEXT)


async def bodies_in(store: AzureStore) -> list[str]:
    """Kinds of the items that hold a batch's bytes, and folders of the blobs."""
    items = await asyncio.to_thread(items_in, store, "batches")
    kinds = [item["kind"] for item in items if "body" in item]
    return sorted([*kinds, *(f"blob {name.split('/')[0]}" for name in await asyncio.to_thread(blobs_in, store))])


@pytest.mark.parametrize(
    ("body", "raw", "staged"), [(SMALL, "raw", "staged"), (LARGE, "blob raw", "blob staged")], ids=["small", "large"]
)
async def test_a_batch_leaves_no_bytes_behind(store: AzureStore, body: bytes, raw: str, staged: str) -> None:
    await store.ledger.receive(batch("b1"), body)
    begun = await store.ledger.begin("b1", "b1-1", "validate")
    await store.ledger.stage("b1", "b1-1", "validated", body)
    await store.ledger.stage("b1", "b1-1", "validated.1", body)
    assert await bodies_in(store) == [raw, staged, staged]
    await store.ledger.open_attempt("b1", begun, "b1-2", at(1), swept=True)
    assert await bodies_in(store) == [raw]
    await store.ledger.begin("b1", "b1-2", "validate")
    await store.ledger.stage("b1", "b1-2", "validated", body)
    assert await store.ledger.staged("b1", "b1-2", "validated") == body
    await store.ledger.complete("b1", "b1-2", Counts(0, 0, 0, 0), at(2))
    assert await bodies_in(store) == [raw]
    assert await store.ledger.raw("b1") == body
    await store.ledger.purge(FAR_FUTURE, 10)
    assert await bodies_in(store) == []
    await store.ledger.receive(batch("b1"), body)  # delivered again
    assert await bodies_in(store) == []


async def test_what_is_staged_again_may_have_another_size(store: AzureStore) -> None:
    await store.ledger.receive(batch("b1"), SMALL)
    await store.ledger.begin("b1", "b1-1", "validate")
    for body, kinds in ((SMALL, ["staged"]), (LARGE, ["blob staged"]), (SMALL, ["staged"])):
        await store.ledger.stage("b1", "b1-1", "validated", body)
        assert await store.ledger.staged("b1", "b1-1", "validated") == body
        assert set(kinds) <= set(await bodies_in(store))
    await store.ledger.complete("b1", "b1-1", Counts(0, 0, 0, 0), at(2))
    assert await bodies_in(store) == ["raw"]


async def test_raw_bodies_do_not_share_a_logical_partition(store: AzureStore) -> None:
    for number in range(100):
        await store.ledger.receive(batch(f"b{number}"), SMALL)
    items = await asyncio.to_thread(items_in, store, "batches")
    assert len({item["bucket"] for item in items if item["kind"] == "raw"}) == 100


async def test_a_purge_deletes_what_a_batch_with_a_similar_name_does_not_own(store: AzureStore) -> None:
    for batch_id in ("b1", "b10"):
        begun = await store.ledger.receive(batch(batch_id), b"raw")
        await store.ledger.begin(batch_id, begun.instance_id, "validate")
    await store.ledger.stage("b10", "b10-1", "validated", b"10")
    await store.ledger.complete("b1", "b1-1", Counts(0, 0, 0, 0), at(2))
    await store.ledger.purge(FAR_FUTURE, 10)
    assert await store.ledger.staged("b10", "b10-1", "validated") == b"10"
    assert await store.ledger.raw("b10") == b"raw"


def test_one_store_serves_any_event_loop(servers: AzureServers) -> None:
    settings = settings_for(servers)
    store = AzureStore(settings, RETENTION)
    asyncio.run(store.open())
    asyncio.run(store.messages.put([message("m1")], "b"))
    page = asyncio.run(store.messages.history("drone-1", None, None, ascending=True, limit=9, continuation=None))
    assert [item["id"] for item in page.items] == ["m1"]
    asyncio.run(store.health())
    asyncio.run(store.close())
    forget(servers, settings)


async def test_closed_it_says_so_and_opens_again(servers: AzureServers) -> None:
    settings = settings_for(servers)
    store = AzureStore(settings, RETENTION)
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.health()
    await store.open()
    await store.ledger.receive(batch("b1"), b"raw")
    await store.close()
    await store.open()
    assert await store.ledger.raw("b1") == b"raw"
    await store.close()
    await asyncio.to_thread(forget, servers, settings)


async def test_a_missing_container_is_named(store: AzureStore) -> None:
    def drop() -> None:
        with cosmos_client(store._settings) as client:
            client.get_database_client(store._settings.cosmos_database).delete_container("deadletters")

    await asyncio.to_thread(drop)
    with pytest.raises(StoreUnavailable, match="Cosmos DB container deadletters: it does not exist"):
        await store.health()


SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"


@pytest.mark.parametrize(
    "changes",
    [
        {"cosmos_key": SECRET + "=", "cosmos_endpoint": "http://127.0.0.1:9/"},
        {"cosmos_key": SECRET},
        {"blob_connection_string": f"AccountName=a;AccountKey={SECRET}=;BlobEndpoint=http://127.0.0.1:9/a;"},
        {"blob_connection_string": f"nonsense {SECRET}"},
    ],
)
async def test_no_key_in_errors_or_logs(
    servers: AzureServers, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    for name in ("", "azure.core.pipeline.policies.http_logging_policy", "azure.cosmos", "azure.identity"):
        caplog.set_level(logging.DEBUG, logger=name)
    settings: AzureStoreSettings = replace(settings_for(servers), **changes)
    store = AzureStore(settings, RETENTION, deadline=0.3)
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    told = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert SECRET not in told
    assert SECRET not in caplog.text
    assert SECRET not in repr(settings)
