"""What a cloud does to a call: throttles it, fails it, loses its answer, answers from a replica that lags behind.

One scenario touches every port; whatever fails on the way, it must end in exactly the state it ends in undisturbed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import pytest

from pipeline.ports import BatchFilter, Conflict, DeadLetterFilter, HeldTotals, Store, StoreUnavailable
from pipeline.records import BatchStatus, Counts, Move, Outcome
from storage.azure import AzureStore
from storage.azure.bodies import MAX_TEXT
from tests.support.azure_stores import azure_store
from tests.support.records import FAR_FUTURE, at, batch, letter, message
from tests.support.servers.azure_servers import AzureServers, Faults

T = TypeVar("T")
ONE, TWO = "b1-1", "b1-2"
EVERYTHING = "."
DOCUMENTS = "/docs"


@pytest.fixture
def cosmos(servers: AzureServers) -> Iterator[Faults]:
    if servers.cosmos_faults is None:
        pytest.skip("only the project's own test servers fail on demand")
    yield servers.cosmos_faults
    servers.cosmos_faults.clear()


@pytest.fixture
def blob(servers: AzureServers) -> Iterator[Faults]:
    if servers.blob_faults is None:
        pytest.skip("only the project's own test servers fail on demand")
    yield servers.blob_faults
    servers.blob_faults.clear()


@pytest.fixture
async def store(servers: AzureServers) -> AsyncIterator[AzureStore]:
    async with azure_store(servers) as opened:
        yield opened


async def once(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


async def again_after_failure(call: Callable[[], Awaitable[T]]) -> T:
    """As activities are: a call that failed is made again, whether or not it had its effect."""
    for _ in range(5):
        with contextlib.suppress(StoreUnavailable):
            return await call()
    return await call()


MESSAGES = [message(f"m{n}", f"drone-{n % 3}", second=n) for n in range(8)]
LETTERS = [letter(f"l{n}", second=n, codes=("a", "b") if n % 2 else ("a",)) for n in range(4)]


RAW = b"raw"
LARGE = Random(1).randbytes(MAX_TEXT)
"""Goes into a blob, whether it is raw or staged."""


async def scenario(
    store: Store, call: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]] = once, *, raw: bytes = RAW
) -> None:
    """A batch is received, failed, replayed and completed; letters are replayed and discarded; some is purged."""
    ledger, messages, letters = store.ledger, store.messages, store.dead_letters
    received = await call(lambda: ledger.receive(batch("b1"), raw))
    await call(lambda: ledger.begin("b1", ONE, "validate"))
    await call(lambda: ledger.stage("b1", ONE, "validated", raw[::-1]))
    failed = await call(lambda: ledger.fail("b1", ONE, "enrich", "broken", at(3)))
    assert received.instance_id == failed.instance_id
    await call(lambda: ledger.open_attempt("b1", failed, TWO, at(4), swept=False))
    await call(lambda: ledger.begin("b1", TWO, "validate"))
    await call(lambda: ledger.stage("b1", TWO, "validated", raw[::-1]))
    assert await call(lambda: ledger.staged("b1", TWO, "validated")) == raw[::-1]
    assert await call(lambda: messages.put(MESSAGES, "b1")) == [Outcome.STORED] * 8
    assert await call(lambda: letters.put(LETTERS, "b1")) == [Outcome.STORED] * 4
    await call(lambda: ledger.complete("b1", TWO, Counts(12, 8, 0, 4), at(9), held_from=at(1)))
    (held,) = await call(lambda: store.held.list("telemetry", "0", 10))
    assert await call(lambda: ledger.staged("b1", TWO, "validated")) == raw[::-1]
    await call(lambda: store.held.release([held]))
    await call(lambda: letters.record_failed_replay("l0", letter("x", codes=("c",))["errors"], at(10)))
    await call(lambda: letters.resolve("l1", "replayed", at=at(11)))
    await call(lambda: ledger.recount("b1", "l1", Move(1, 1, 0)))
    await call(lambda: letters.resolve("l2", "discarded", at=at(12), reason="noise"))
    assert await call(lambda: messages.put(MESSAGES, "b2")) == [Outcome.DUPLICATE] * 8
    await call(lambda: ledger.receive(batch("b3", second=1), raw))
    await call(lambda: ledger.begin("b3", "b3-1", "validate"))
    await call(lambda: ledger.complete("b3", "b3-1", Counts(2, 2, 0, 0), at(2)))
    await call(lambda: letters.put([letter("old", codes=("a",))], "b3"))
    await call(lambda: letters.resolve("old", "replayed", at=at(11)))
    await call(lambda: ledger.set_mark("histories", at(5)))
    assert await call(lambda: ledger.mark("histories")) == at(5)
    # How many a purge that is made again finds is open; what it leaves is not.
    await call(lambda: ledger.purge(at(5), 10))
    await call(lambda: letters.purge(at(12), 10))


async def final_state(store: Store) -> dict[str, Any]:
    batches = (await store.ledger.list(BatchFilter(), 100, None)).items
    histories = {
        device: (await store.messages.history(device, None, None, ascending=True, limit=100, continuation=None)).items
        for device in ("drone-0", "drone-1", "drone-2")
    }
    return {
        "batches": [replace(one, updated_at="") for one in batches],
        "raw": [await store.ledger.raw(one) for one in ("b1", "b3")],
        "staged": [await store.ledger.staged("b1", one, "validated") for one in (ONE, TWO)],
        "histories": histories,
        "letters": (await store.dead_letters.list(DeadLetterFilter(), 100, None)).items,
        "held": await store.held.totals(),
        "ledger totals": await store.ledger.totals(),
        "letter totals": await store.dead_letters.totals(),
    }


async def check(store: Store, raw: bytes = RAW) -> None:
    """The state in which the undisturbed scenario ends, in plain words."""
    state = await final_state(store)
    (only,) = state["batches"]
    assert (only.id, only.status, only.attempts, only.counts) == ("b1", BatchStatus.COMPLETED, 2, Counts(12, 9, 0, 3))
    assert state["raw"] == [raw, None]
    assert state["staged"] == [None, None]
    assert state["held"] == HeldTotals()
    assert {device: [one["id"] for one in items] for device, items in state["histories"].items()} == {
        "drone-0": ["m0", "m3", "m6"],
        "drone-1": ["m1", "m4", "m7"],
        "drone-2": ["m2", "m5"],
    }
    assert all(one["batchId"] == "b1" for items in state["histories"].values() for one in items)
    assert [(one["id"], one["status"], one["attempts"]) for one in state["letters"]] == [
        ("l3", "open", 1),
        ("l2", "discarded", 1),
        ("l1", "replayed", 1),
        ("l0", "open", 2),
    ]
    totals = state["ledger totals"]
    assert (totals.events, totals.messages, totals.stored, totals.duplicates, totals.rejected) == (18, 14, 11, 0, 3)
    assert totals.batches == {"received": 0, "running": 0, "completed": 2, "failed": 0}
    assert state["letter totals"].dead_letters == {"open": 2, "replayed": 2, "discarded": 1}
    assert state["letter totals"].dead_letter_codes == {"a": 4, "b": 2, "c": 1}


async def test_undisturbed(store: AzureStore) -> None:
    await scenario(store)
    await check(store)


async def test_a_storm_of_429_that_the_sdk_waits_out(store: AzureStore, cosmos: Faults) -> None:
    for _ in range(30):
        cosmos.add(DOCUMENTS, status=429, skip=3, times=4, headers={"x-ms-retry-after-ms": "1"})
    await scenario(store)
    assert sum(cosmos.struck()) > 40
    await check(store)


async def test_a_storm_of_429_beyond_what_the_sdk_waits_for(store: AzureStore, cosmos: Faults) -> None:
    cosmos.add(DOCUMENTS, status=429, times=45, headers={"x-ms-retry-after-ms": "1"})
    await scenario(store)
    assert cosmos.struck() == [45]
    await check(store)


@pytest.mark.parametrize(
    ("status", "headers", "when"),
    [
        (503, {}, "before"),
        (503, {}, "after"),
        (500, {}, "after"),
        (408, {}, "before"),
        (408, {}, "after"),
        (449, {"x-ms-retry-after-ms": "1"}, "before"),
        (410, {"x-ms-substatus": "1002"}, "before"),  # the partition has been split
        (410, {"x-ms-substatus": "1007"}, "before"),  # it is being split
        (410, {"x-ms-substatus": "1008"}, "after"),  # it is being moved
        (410, {}, "before"),
    ],
)
async def test_failures_that_pass(
    store: AzureStore, cosmos: Faults, status: int, headers: dict[str, str], when: str
) -> None:
    for _ in range(20):
        cosmos.add(DOCUMENTS, status=status, when=when, skip=5, headers=headers)
    await scenario(store)
    assert sum(cosmos.struck()) >= 6
    await check(store)


async def test_answers_are_lost_of_every_third_request_that_had_its_effect(store: AzureStore, cosmos: Faults) -> None:
    for _ in range(100):
        cosmos.add("POST .*/docs", when="after", skip=2)
    await scenario(store)
    assert sum(cosmos.struck()) > 15
    await check(store)


STRIDE, BLOB_STRIDE = 19, 6


def strike_every(faults: Faults, stride: int, offset: int, **rule: Any) -> None:
    """Requests fail whose number is ``offset`` modulo ``stride``: the runs over all offsets fail each one once."""
    # 403 is no error that the adapters try again: the call fails, and the caller makes it again.
    faults.add(skip=offset, status=403, **rule)
    for _ in range(20):
        faults.add(skip=stride - 1, status=403, **rule)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("offset", range(STRIDE))
async def test_each_request_fails_in_turn_and_its_call_is_made_again(
    store: AzureStore, cosmos: Faults, when: str, offset: int
) -> None:
    strike_every(cosmos, STRIDE, offset, match=DOCUMENTS, when=when)
    await scenario(store, again_after_failure)
    assert sum(cosmos.struck()) >= 3
    cosmos.clear()
    await check(store)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("offset", range(BLOB_STRIDE))
async def test_each_request_to_blob_storage_fails_in_turn(
    store: AzureStore, blob: Faults, when: str, offset: int
) -> None:
    strike_every(blob, BLOB_STRIDE, offset, match=EVERYTHING, when=when, headers={"x-ms-error-code": "Forbidden"})
    await scenario(store, again_after_failure, raw=LARGE)
    assert sum(blob.struck()) >= 1
    blob.clear()
    await check(store, LARGE)


@pytest.mark.parametrize(("status", "when"), [(503, "before"), (503, "after"), (500, "before"), (None, "after")])
async def test_blob_storage_fails_for_a_while(store: AzureStore, blob: Faults, status: int | None, when: str) -> None:
    for _ in range(12):
        blob.add(EVERYTHING, status=status, when=when, skip=1, headers={"x-ms-error-code": "ServerBusy"})
    await scenario(store, raw=LARGE)
    assert sum(blob.struck()) >= 5
    await check(store, LARGE)


async def test_decisions_do_not_rest_on_a_replica_that_lags_behind(store: AzureStore, cosmos: Faults) -> None:
    ledger, letters = store.ledger, store.dead_letters
    await letters.put([letter("old")], "b0")
    cosmos.freeze()
    received = await ledger.receive(batch("b1"), b"raw")
    assert await ledger.get("b1") is None  # the replica has not heard of it
    assert await ledger.receive(batch("b1", instance_id="other"), b"raw") == received
    begun = await ledger.begin("b1", ONE, "validate")
    await ledger.stage("b1", ONE, "validated", b"[1]")
    opened = await ledger.open_attempt("b1", begun, TWO, at(4), swept=True)
    with pytest.raises(Conflict) as caught:
        await ledger.begin("b1", ONE, "enrich")
    assert caught.value.record == opened
    await ledger.begin("b1", TWO, "validate")
    await ledger.complete("b1", TWO, Counts(3, 2, 0, 1), at(9))
    await ledger.recount("b1", "l1", Move(1, 1, 0))
    await ledger.recount("b1", "l1", Move(1, 1, 0))

    assert await store.messages.put(MESSAGES, "b1") == [Outcome.STORED] * 8
    assert await store.messages.put(MESSAGES, "b1") == [Outcome.STORED] * 8
    assert await store.messages.put(MESSAGES, "b2") == [Outcome.DUPLICATE] * 8
    assert await letters.put(LETTERS, "b1") == [Outcome.STORED] * 4
    assert await letters.put(LETTERS, "b2") == [Outcome.DUPLICATE] * 4
    await letters.resolve("l1", "replayed", at=at(5))
    await letters.resolve("old", "discarded", at=at(5))
    with pytest.raises(Conflict):
        await letters.resolve("l1", "discarded", at=at(6))
    cosmos.clear()

    found = await ledger.get("b1")
    assert found is not None
    assert (found.status, found.counts) == (BatchStatus.COMPLETED, Counts(3, 3, 0, 0))
    totals = await ledger.totals()
    assert (totals.events, totals.messages, totals.stored, totals.rejected) == (9, 3, 3, 0)
    assert totals.batches == {"received": 0, "running": 0, "completed": 1, "failed": 0}
    assert (await letters.totals()).dead_letters == {"open": 3, "replayed": 1, "discarded": 1}


async def test_a_404_that_is_not_the_items_is_not_taken_for_it(store: AzureStore, cosmos: Faults) -> None:
    await store.ledger.receive(batch("b1"), b"raw")
    # No replica has come as far as the session: that passes.
    cosmos.add("GET .*/docs/", status=404, times=9, headers={"x-ms-substatus": "1002"})
    assert await store.ledger.get("b1") is not None
    assert cosmos.struck() == [9]
    cosmos.clear()
    # The container is not there, which is no reason to take the batch for unknown.
    cosmos.add("GET .*/docs/", status=404, times=100, headers={"x-ms-substatus": "1003"})
    with pytest.raises(StoreUnavailable, match="container batches: read: it does not exist"):
        await store.ledger.get("b1")
    cosmos.clear()
    cosmos.add("DELETE .*/docs/", status=404, times=100, headers={"x-ms-substatus": "1003"})
    await store.ledger.begin("b1", ONE, "validate")
    await store.ledger.complete("b1", ONE, Counts(0, 0, 0, 0), at(2))
    with pytest.raises(StoreUnavailable, match="container batches: delete: it does not exist"):
        await store.ledger.purge(FAR_FUTURE, 10)


async def test_a_purge_that_sees_an_old_list_leaves_a_replayed_batch_alone(store: AzureStore, cosmos: Faults) -> None:
    await store.ledger.receive(batch("b1"), b"raw")
    await store.ledger.begin("b1", ONE, "validate")
    done = await store.ledger.complete("b1", ONE, Counts(0, 0, 0, 0), at(2))
    cosmos.freeze()
    await store.ledger.open_attempt("b1", done, TWO, at(3), swept=False)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 0
    cosmos.clear()
    assert await store.ledger.raw("b1") == b"raw"


async def test_a_purge_cut_short_is_finished_by_the_next_and_nobody_replays_in_between(
    store: AzureStore, blob: Faults
) -> None:
    await store.ledger.receive(batch("b1"), LARGE)
    await store.ledger.begin("b1", ONE, "validate")
    done = await store.ledger.complete("b1", ONE, Counts(1, 1, 0, 0), at(2))
    blob.add("DELETE .*raw", status=403, when="after")
    with pytest.raises(StoreUnavailable):
        await store.ledger.purge(FAR_FUTURE, 10)
    with pytest.raises(Conflict, match="purged"):
        await store.ledger.open_attempt("b1", done, TWO, at(3), swept=False)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 1
    assert await store.ledger.get("b1") is None
    assert (await store.ledger.totals()).messages == 1


async def test_an_outage_is_an_error_in_time_and_over_when_it_is_over(servers: AzureServers, cosmos: Faults) -> None:
    async with azure_store(servers, deadline=1, patience=1) as store:
        for rule in ({"status": 503}, {"status": 429, "headers": {"x-ms-retry-after-ms": "1"}}, {"status": None}):
            cosmos.add(EVERYTHING, times=100_000, **rule)
            with pytest.raises(StoreUnavailable, match="Cosmos DB container batches"):
                await store.ledger.begin("b1", ONE, "validate")
            with pytest.raises(StoreUnavailable, match="Cosmos DB container"):
                await store.messages.put(MESSAGES, "b1")
            with pytest.raises(StoreUnavailable):
                await store.health()
            cosmos.clear()
            await store.health()
        await scenario(store)
        await check(store)


async def test_a_blob_outage_shows_in_health_and_keeps_a_large_batch_from_being_received(
    servers: AzureServers, blob: Faults
) -> None:
    async with azure_store(servers, deadline=1) as store:
        blob.add(EVERYTHING, times=100_000, status=503)
        with pytest.raises(StoreUnavailable, match="Blob container"):
            await store.health()
        with pytest.raises(StoreUnavailable, match="Blob container"):
            await store.ledger.receive(batch("b1"), LARGE)
        assert await store.ledger.get("b1") is None
        await store.ledger.receive(batch("b2"), b"raw")  # it needs no blob
        assert await store.ledger.raw("b2") == b"raw"
        blob.clear()
        await store.ledger.receive(batch("b1"), LARGE)
        assert await store.ledger.raw("b1") == LARGE


async def test_a_store_that_does_not_open_says_why_and_leaves_nothing_behind(
    servers: AzureServers, cosmos: Faults
) -> None:
    cosmos.add(EVERYTHING, times=100_000, status=503)
    with pytest.raises(StoreUnavailable, match="opening the Azure store"):
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(azure_store(servers, deadline=1))
    cosmos.clear()
    async with azure_store(servers) as store:
        await store.health()
