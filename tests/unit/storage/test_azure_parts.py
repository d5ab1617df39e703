"""The Azure adapters' parts that need no server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ports import StoreUnavailable
from settings import AzureStoreSettings
from storage.azure import connect, oversize
from storage.azure.calls import Calls, PartitionFull
from storage.azure.ids import BUCKETS, bucket_of, safe_id
from storage.azure.items import MAX_OPERATIONS, MAX_TRANSACTION_BYTES, chunks, patches


@given(st.text(min_size=1), st.text(min_size=1))
def test_ids_are_legal_and_never_collide(one: str, two: str) -> None:
    try:
        first, second = safe_id(one), safe_id(two)
    except UnicodeEncodeError:  # lone surrogates are in no id
        return
    assert re.fullmatch(r"[A-Za-z0-9=._:-][A-Za-z0-9._:=-]*", first)
    assert (first == second) == (one == two)


def test_ordinary_ids_stay_as_they_are() -> None:
    assert safe_id("telemetry-0-17-42-20260301T000000.000000Z") == "telemetry-0-17-42-20260301T000000.000000Z"
    assert safe_id("~totals") != "~totals"  # the counters' own id cannot be taken


def test_a_record_is_looked_for_in_the_same_bucket_for_ever() -> None:
    assert [bucket_of(text) for text in ("", "a", "b1", "telemetry-0-1-9", "ä")] == ["05", "21", "05", "26", "15"]
    assert {bucket_of(str(n)) for n in range(2000)} == {f"{n:02d}" for n in range(BUCKETS)}


@given(st.lists(st.integers(1, MAX_TRANSACTION_BYTES), max_size=400), st.integers(0, 10))
def test_transactions_stay_within_the_services_limits(sizes: list[int], reserve: int) -> None:
    cut = chunks([((number, size), size) for number, size in enumerate(sizes)], reserve)
    assert [operation[0] for chunk in cut for operation in chunk] == list(range(len(sizes)))
    for chunk in cut:
        assert 0 < len(chunk) <= MAX_OPERATIONS - reserve
        assert sum(operation[1] for operation in chunk) <= MAX_TRANSACTION_BYTES


def test_one_patch_holds_ten_increments_and_none_of_zero() -> None:
    operations = patches("id", {f"f{n}": n for n in range(24)} | {"a/b~c": 1})
    assert [len(operation[1][1]) for operation in operations] == [10, 10, 4]
    assert operations[2][1][1][-1] == {"op": "incr", "path": "/a~1b~0c", "value": 1}


class FakeBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, name: str, content: bytes, *, overwrite: bool = True) -> None:
        self.kept[name] = content

    async def get(self, name: str) -> bytes | None:
        return self.kept.get(name)


async def test_only_large_fields_of_large_documents_move_and_all_come_back() -> None:
    blobs: Any = FakeBlobs()
    small = {"id": "a", "body": "x" * 100_000}
    assert (await oversize.move_out(blobs, small, "f", ("id",)))[0] is small
    large = {"id": "a" * 20_000, "body": "x" * 600_000, "list": ["y" * 20_000], "note": "short"}
    moved, size = await oversize.move_out(blobs, large, "f", ("id",))
    assert set(moved) == {"id", "note", "oversize"}
    assert size < 30_000
    assert await oversize.bring_back(blobs, dict(moved)) == large
    # What was written into the item since is newer than the blob.
    assert (await oversize.bring_back(blobs, moved | {"body": "new"}))["body"] == "new"


async def never() -> None:
    await asyncio.Event().wait()


def failing(*errors: Exception) -> tuple[Callable[[], Awaitable[str]], list[int]]:
    left, calls = list(errors), [0]

    async def call() -> str:
        calls[0] += 1
        if left:
            raise left.pop(0)
        return "done"

    return call, calls


def http_error(status: int, **headers: str) -> HttpResponseError:
    error = CosmosHttpResponseError(status_code=status, message="secret text of the service")
    error.headers = headers
    return error


@pytest.mark.parametrize(
    "error",
    [
        *(http_error(status) for status in (408, 410, 429, 449, 500, 502, 503, 504)),
        ServiceRequestError("no route"),
        ServiceResponseTimeoutError("no answer"),
        aiohttp.ServerDisconnectedError(),
        ConnectionResetError(),
    ],
    ids=lambda error: getattr(error, "status_code", None) or type(error).__name__,
)
async def test_what_passes_is_tried_again(error: Exception) -> None:
    call, calls = failing(error, error)
    assert await Calls().run("x", call) == "done"
    assert calls == [3]


async def test_the_servers_retry_after_is_waited_for() -> None:
    loop = asyncio.get_running_loop()
    for headers, seconds in (({"x-ms-retry-after-ms": "150"}, 0.15), ({"retry-after": "0.2"}, 0.2)):
        call, _ = failing(http_error(429, **headers))
        before = loop.time()
        await Calls().run("x", call)
        assert loop.time() - before >= seconds


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (http_error(401), "Cosmos DB: read: HTTP 401"),
        (http_error(403), "Cosmos DB: read: HTTP 403"),
        (ClientAuthenticationError("token secret"), "Cosmos DB: read: access denied to the app's identity"),
        (CosmosResourceNotFoundError(status_code=404, message="m"), "Cosmos DB: read: it does not exist"),
    ],
)
async def test_what_does_not_pass_by_itself_is_told_at_once_and_without_the_services_text(
    error: Exception, text: str
) -> None:
    call, calls = failing(error)
    with pytest.raises(StoreUnavailable) as caught:
        await Calls().run("Cosmos DB: read", call)
    assert str(caught.value) == text
    assert calls == [1]


async def test_our_own_mistakes_are_not_called_an_outage() -> None:
    call, calls = failing(http_error(400))
    with pytest.raises(CosmosHttpResponseError):
        await Calls().run("x", call)
    assert calls == [1]


async def test_every_call_has_a_deadline() -> None:
    with pytest.raises(StoreUnavailable, match=r"x: no answer within 0\.05 seconds"):
        await Calls(deadline=0.05).run("x", never)
    call, calls = failing(*(http_error(503) for _ in range(10_000)))
    with pytest.raises(StoreUnavailable, match=r"x: (HTTP 503|no answer)"):
        await Calls(deadline=0.2).run("x", call)
    assert calls[0] > 1


@pytest.mark.parametrize(("patient", "allowed"), [(True, 6), (False, 2)])
async def test_no_more_requests_at_once_than_allowed(patient: bool, allowed: int) -> None:
    calls = Calls(limit=6)
    running = most = 0

    async def call() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await asyncio.gather(*(calls.run("x", call, patient=patient) for _ in range(50)))
    assert most == allowed


async def test_who_is_waited_for_does_not_stand_behind_a_batch() -> None:
    calls = Calls(limit=3)
    batch = [asyncio.create_task(calls.run("x", never, patient=True)) for _ in range(9)]
    await asyncio.sleep(0)
    assert await calls.run("x", failing()[0]) == "done"
    for task in batch:
        task.cancel()


async def test_waiting_for_a_slot_uses_up_no_time() -> None:
    calls = Calls(limit=1, deadline=0.3)

    async def slow() -> None:
        await asyncio.sleep(0.15)

    await asyncio.gather(*(calls.run("x", slow, patient=True) for _ in range(4)))


async def test_being_throttled_uses_up_a_time_of_its_own() -> None:
    throttled = [http_error(429, **{"x-ms-retry-after-ms": "60"}) for _ in range(6)]
    assert await Calls(deadline=0.2).run("x", failing(*throttled)[0], patient=True) == "done"
    with pytest.raises(StoreUnavailable, match=r"x: throttled for \d seconds"):
        await Calls(deadline=0.2).run("x", failing(*throttled)[0])
    with pytest.raises(StoreUnavailable, match=r"x: throttled for \d seconds"):
        await Calls(deadline=0.2, patience=0.2).run("x", failing(*throttled)[0], patient=True)


async def test_errors_between_throttling_still_count() -> None:
    mixed = [error for _ in range(9) for error in (http_error(429), http_error(503, **{"retry-after": "0.1"}))]
    with pytest.raises(StoreUnavailable, match="x: HTTP 503"):
        await Calls(deadline=0.3).run("x", failing(*mixed)[0], patient=True)


async def test_a_full_partition_has_words_of_its_own() -> None:
    error = http_error(403)
    error.sub_status = 1014
    call, calls = failing(error)
    with pytest.raises(PartitionFull, match="Cosmos DB: create: its logical partition has the 20 GB"):
        await Calls().run("Cosmos DB: create", call)
    assert calls == [1]


class FakeCredential:
    made: list[FakeCredential] = []  # noqa: RUF012 - shared on purpose

    def __init__(self) -> None:
        self.made.append(self)
        self.closed = False

    async def get_token(self, *scopes: str, **_: Any) -> Any:
        raise AssertionError("not asked for in this test")

    async def close(self) -> None:
        self.closed = True


async def test_without_keys_both_services_are_entered_with_the_apps_one_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connect, "DefaultAzureCredential", FakeCredential)
    clients = connect.Clients(
        AzureStoreSettings(
            cosmos_endpoint="https://example.documents.azure.com:443/",
            cosmos_key=None,
            cosmos_database="dronetelemetry",
            blob_connection_string=None,
            blob_account_url="https://example.blob.core.windows.net",
            blob_container="batches",
        )
    )
    (credential,) = FakeCredential.made
    assert clients.blobs.credential is credential
    assert clients.cosmos.client_connection.aad_credentials is credential
    # In Azure the client finds the account's regions; the containers are infra's to make.
    assert clients.cosmos.client_connection.connection_policy.EnableEndpointDiscovery is True
    assert clients.makes_containers is False
    await clients.close()
    assert credential.closed
