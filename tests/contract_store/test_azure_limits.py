"""What Cosmos DB refuses for a while, or for good: too many requests, and a logical partition that is full."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pipeline.ports import StoreUnavailable
from pipeline.records import BatchStatus, Counts, Outcome
from storage.azure import AzureStore
from storage.azure.containers import BATCHES, MESSAGES
from tests.support.azure_stores import azure_store
from tests.support.messages import delivery
from tests.support.pipeline import make_pipeline
from tests.support.records import batch, message
from tests.support.servers.azure_servers import AzureServers, Faults

DEADLINE = 3.0
FULL = {"status": 403, "headers": {"x-ms-substatus": "1014"}, "times": 10**9}
WRITES = "POST .*/docs/? (batch)?$"
"""Creations, alone and in transactions; no queries."""
THROTTLED = {"status": 429, "headers": {"x-ms-retry-after-ms": "5"}, "times": 10**9}


@pytest.fixture
def cosmos(servers: AzureServers) -> Iterator[Faults]:
    if servers.cosmos_faults is None:
        pytest.skip("only the project's own test servers fail on demand")
    yield servers.cosmos_faults
    servers.cosmos_faults.clear()


@pytest.fixture
async def store(servers: AzureServers) -> AsyncIterator[AzureStore]:
    async with azure_store(servers, deadline=DEADLINE) as opened:
        yield opened


async def test_a_batch_that_is_throttled_all_the_time_takes_longer_and_completes(
    store: AzureStore, cosmos: Faults
) -> None:
    """Five hundred writes at a hundred a second, with a deadline of three seconds for each call."""
    cosmos.add(f"POST .*/colls/{MESSAGES}/docs", perSecond=100, **THROTTLED)
    many = [message(f"m{n}", f"drone-{n}") for n in range(500)]
    assert await store.messages.put(many, "b1") == [Outcome.STORED] * 500
    assert cosmos.struck()[0] > 100
    cosmos.clear()
    assert await store.messages.put(many, "b2") == [Outcome.DUPLICATE] * 500


async def test_who_is_waited_for_by_a_person_is_told_in_time(store: AzureStore, cosmos: Faults) -> None:
    cosmos.add("/docs", **THROTTLED)
    with pytest.raises(StoreUnavailable, match=r"throttled for \d+ seconds \(HTTP 429\)"):
        await store.ledger.get("b1")


async def test_a_drones_full_day_goes_on_beside_it(store: AzureStore, cosmos: Faults) -> None:
    first = [message(f"m{n}-1", "drone-1", second=n) for n in range(3)]
    assert await store.messages.put(first, "b1") == [Outcome.STORED] * 3
    cosmos.add(WRITES, partition=r'^\["drone-1","[0-9-]+"\]$', **FULL)

    both = [message(f"m{n}-{device}", f"drone-{device}", second=n) for n in range(6) for device in (1, 2)]
    expected = [Outcome.DUPLICATE if one["deviceId"] == "drone-1" and one in first else Outcome.STORED for one in both]
    assert await store.messages.put(both, "b2") == expected
    assert await store.messages.put(both, "b2") == expected  # the same delivery once more
    assert await store.messages.put(both, "b3") == [Outcome.DUPLICATE] * 12
    assert await store.messages.put([message("m9", "drone-1", second=9)], "b4") == [Outcome.STORED]

    page = await store.messages.history("drone-1", None, None, ascending=True, limit=99, continuation=None)
    assert [one["id"] for one in page.items] == [f"m{n}-1" for n in range(6)] + ["m9"]
    assert await store.messages.purge("2100-01-01T00:00:00.000000Z", 99) == 13


async def test_another_container_that_is_full_says_so_and_no_more_than_that(store: AzureStore, cosmos: Faults) -> None:
    await store.ledger.receive(batch("b1"), b"raw")
    cosmos.add(f"/colls/{BATCHES}/docs", **FULL)
    with pytest.raises(StoreUnavailable, match=f"{BATCHES}: transaction: its logical partition has the 20 GB"):
        await store.ledger.begin("b1", "b1-1", "validate")
    cosmos.clear()
    assert (await store.ledger.begin("b1", "b1-1", "validate")).status is BatchStatus.RUNNING


async def test_the_whole_pipeline_goes_on_past_a_full_day(store: AzureStore, cosmos: Faults) -> None:
    cosmos.add(WRITES, partition=r'^\["drone-1","[0-9-]+"\]$', **FULL)
    pipeline = make_pipeline(store)
    bodies = [{"deviceId": f"drone-{device}", "battery": n / 10} for n in range(4) for device in (1, 2)]
    received = await pipeline.receive([delivery(body, sequence_number=n) for n, body in enumerate(bodies, 1)])
    await pipeline.engine.run()
    done = await store.ledger.get(received.id)
    assert done is not None
    assert done.counts == Counts(messages=8, stored=8, duplicates=0, rejected=0)
    assert set(pipeline.engine.entities) == {"drone-1", "drone-2"}
